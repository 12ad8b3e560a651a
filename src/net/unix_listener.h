// A Unix socket that servers listen on, each of them on its own descriptor of the one socket.
//
// Owner: who composes the servers; it outlives their start. Thread: the one that makes it. Stops:
// destruction removes the file.
#pragma once

#include <filesystem>
#include <memory>

#include "base/fd.h"
#include "base/result.h"

namespace carrel::net {

class UnixListener {
 public:
  // For the file's owner and group (0660). A socket left by a process that is gone is replaced.
  // Errors: unavailable, with the path and what is in the way.
  static Result<std::unique_ptr<UnixListener>> listen(std::filesystem::path path);
  ~UnixListener();
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;

  // One more descriptor of it. Errors: unavailable.
  Result<Fd> share() const;

 private:
  UnixListener(std::filesystem::path path, Fd socket);
  std::filesystem::path path_;
  Fd socket_;
};

}  // namespace carrel::net
