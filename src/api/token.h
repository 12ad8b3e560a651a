// The node's local token: whoever can read its file is the operator of this node.
//
// Made at the first start, in a file that only its owner can read. Compared in constant time.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace carrel::api {

// Value type; holds a digest, not the token. Immutable. Thread-safe.
class LocalToken {
 public:
  // Reads the token in `file`, or makes one. Errors: io; invalid_config when others may read the
  // file or it holds nothing like a token.
  static Result<LocalToken> load_or_make(const std::filesystem::path& file);

  explicit LocalToken(std::string_view token);

  bool matches(std::string_view presented) const;

 private:
  std::string digest_;
};

}  // namespace carrel::api
