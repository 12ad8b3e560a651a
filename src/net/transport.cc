#include "net/transport.h"

#include <sys/socket.h>

#include <cerrno>

namespace carrel::net {

IoResult Transport::failure() {
  const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  broken_ = !later;
  return {later ? IoState::would_block : IoState::closed};
}

IoResult Transport::read(std::span<char> into) {
  ssize_t n;
  do {
    n = ::recv(fd(), into.data(), into.size(), 0);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return failure();
  if (n == 0) return {IoState::closed};
  return {IoState::done, static_cast<std::size_t>(n)};
}

IoResult Transport::write(std::span<const iovec> parts) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  ssize_t n;
  do {
    n = ::sendmsg(fd(), &message, MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  if (n < 0) return failure();
  return {IoState::done, static_cast<std::size_t>(n)};
}

void Transport::finish() { ::shutdown(fd(), SHUT_WR); }

void Transport::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace carrel::net
