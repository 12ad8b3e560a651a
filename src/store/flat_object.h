// A JSON object of texts, whole numbers and `true`, read strictly: no field twice, nothing nested,
// and every field is asked for.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace carrel::store {

// Value type. Errors of all: invalid_argument that says what is wrong.
class FlatObject {
 public:
  static constexpr std::size_t kMostFields = 16;

  static Result<FlatObject> read(std::string_view text);

  bool has(const std::string& field) const { return fields_.contains(field); }
  Result<std::string> take_text(const std::string& field);
  Result<std::int64_t> take_number(const std::string& field);
  Result<void> take_true(const std::string& field);
  // All has been taken.
  Result<void> expect_empty() const;

 private:
  friend class FlatReader;
  using Field = std::variant<std::string, std::int64_t, bool>;
  std::map<std::string, Field> fields_;
};

}  // namespace carrel::store
