// Where a running server's API is, told to the programs of its owner: a file in the state folder
// with one line, the base URL of the admin listener.
//
// It is there while the server runs, which holds a lock on it. A server that was killed leaves it
// behind without the lock: whoever listens at that port by then is to learn no token.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace carrel::server {

// Owner: the composition root. Stops: destruction removes the file.
class AdminUrl {
 public:
  AdminUrl() = default;  // no file
  // Replaces what another server left. Readable by its owner only. Errors: io.
  static Result<AdminUrl> write(std::filesystem::path file, std::string_view url);
  // What a server that runs says. Errors: unavailable when none does; io.
  static Result<std::string> read(const std::filesystem::path& file);

  AdminUrl(AdminUrl&& other) noexcept;
  AdminUrl& operator=(AdminUrl&& other) noexcept;
  ~AdminUrl();

 private:
  AdminUrl(std::filesystem::path file, Fd locked)
      : file_(std::move(file)), locked_(std::move(locked)) {}
  std::filesystem::path file_;  // empty: none
  Fd locked_;
};

}  // namespace carrel::server
