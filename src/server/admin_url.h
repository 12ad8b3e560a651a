// Where a running server's API is, told to the programs of its owner: a file in the state folder
// with one line, the base URL of the admin listener.
//
// It is there while the server runs. A server that was killed leaves it behind; at its URL nobody
// answers then.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace carrel::server {

// Owner: the composition root. Stops: destruction removes the file.
class AdminUrl {
 public:
  AdminUrl() = default;  // no file
  // Replaces what another server left. Readable by its owner only. Errors: io.
  static Result<AdminUrl> write(std::filesystem::path file, std::string_view url);

  AdminUrl(AdminUrl&& other) noexcept;
  AdminUrl& operator=(AdminUrl&& other) noexcept;
  ~AdminUrl();

 private:
  explicit AdminUrl(std::filesystem::path file) : file_(std::move(file)) {}
  std::filesystem::path file_;  // empty: none
};

}  // namespace carrel::server
