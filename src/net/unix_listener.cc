#include "net/unix_listener.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "net/unix_address.h"

namespace carrel::net {
namespace {

constexpr int kBacklog = 1024;
constexpr mode_t kMode = 0660;

std::unexpected<Error> cannot_listen(const std::filesystem::path& path, std::string_view why) {
  return fail(Code::unavailable, fmt::format("cannot listen on {}: {}", path.string(), why),
              "choose another path, or stop what uses it");
}

Fd new_socket() { return Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }

// A file that is no socket, or whose server answers, is not ours to remove.
Result<void> remove_left(const std::filesystem::path& path, const sockaddr_un& address) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) return {};
  if (!S_ISSOCK(found.st_mode)) return cannot_listen(path, "there is a file of that name");
  const Fd probe = new_socket();
  const auto* const where = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(probe.get(), where, sizeof address) == 0 || errno == EAGAIN)
    return cannot_listen(path, "another server listens there");
  ::unlink(path.c_str());
  return {};
}

}  // namespace

UnixListener::UnixListener(std::filesystem::path path, Fd socket)
    : path_(std::move(path)), socket_(std::move(socket)) {}
UnixListener::~UnixListener() { ::unlink(path_.c_str()); }

Result<std::unique_ptr<UnixListener>> UnixListener::listen(std::filesystem::path path) {
  const auto address = unix_address(path.native());
  if (!address) return cannot_listen(path, "the path of a socket has 1 to 107 bytes");
  CARREL_TRY_VOID(remove_left(path, *address));
  Fd socket = new_socket();
  const auto* const where = reinterpret_cast<const sockaddr*>(&*address);
  // The file is made with the socket's own mode, less what the process masks: nobody gets in before
  // it is as it is to be.
  const bool bound = socket && ::fchmod(socket.get(), kMode) == 0 &&
                     ::bind(socket.get(), where, sizeof *address) == 0 &&
                     ::chmod(path.c_str(), kMode) == 0;
  if (!bound || ::listen(socket.get(), kBacklog) != 0)
    return cannot_listen(path, std::strerror(errno));
  return std::unique_ptr<UnixListener>(new UnixListener(std::move(path), std::move(socket)));
}

Result<Fd> UnixListener::share() const {
  Fd copy(::fcntl(socket_.get(), F_DUPFD_CLOEXEC, 0));
  if (!copy) return cannot_listen(path_, std::strerror(errno));
  return copy;
}

}  // namespace carrel::net
