#include "net/client_socket.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <coroutine>
#include <cstring>

#include "net/parser.h"
#include "net/transport.h"
#include "net/unix_address.h"

namespace carrel::net {
namespace asio = boost::asio;
namespace {

using Descriptor = asio::posix::stream_descriptor;

enum class Wake : unsigned char { ready, expired };
struct Want {
  bool read = false, write = false;
};

std::unexpected<Error> failed(std::string what) {
  return fail(Code::egress_failed, std::move(what));
}

std::unexpected<Error> too_late(std::string what) {
  return fail(Code::egress_timeout, std::move(what));
}

Code code_of_connect(int error) {
  if (error == ECONNREFUSED) return Code::egress_refused;
  if (error == ETIMEDOUT) return Code::egress_timeout;
  return Code::egress_failed;
}

// Waits for one of the directions, or for time. What Asio still runs afterwards finds no waiter.
class SocketWait {
 public:
  SocketWait(asio::io_context& io, Descriptor& descriptor, Want want, Instant until)
      : descriptor_(descriptor), timer_(io, until), want_(want) {}
  SocketWait(const SocketWait&) = delete;
  SocketWait& operator=(const SocketWait&) = delete;
  ~SocketWait() { state_->waiter = nullptr; }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> caller) {
    state_->waiter = caller;
    const auto wake = [state = state_](boost::system::error_code) { resume(*state, Wake::ready); };
    if (want_.read) descriptor_.async_wait(Descriptor::wait_read, wake);
    if (want_.write) descriptor_.async_wait(Descriptor::wait_write, wake);
    timer_.async_wait([state = state_](boost::system::error_code cancelled) {
      if (!cancelled) resume(*state, Wake::expired);
    });
  }
  Wake await_resume() const noexcept { return state_->wake; }

 private:
  struct State {
    std::coroutine_handle<> waiter = nullptr;
    Wake wake = Wake::ready;
  };
  static void resume(State& state, Wake wake) {
    const auto waiter = std::exchange(state.waiter, nullptr);
    if (!waiter) return;
    state.wake = wake;
    waiter.resume();
  }

  Descriptor& descriptor_;
  asio::steady_timer timer_;
  Want want_;
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

SocketAddress socket_address(const Peer& peer) {
  SocketAddress result;
  const IpAddress& address = peer.address;
  const std::uint16_t port = peer.port;
  if (const auto local = unix_address(peer.socket)) {
    std::memcpy(&result.storage, &*local, sizeof *local);
    result.size = sizeof *local;
    return result;
  }
  if (address.v6) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    std::memcpy(&v6->sin6_addr, address.bytes.data(), 16);
    result.size = sizeof *v6;
    return result;
  }
  auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
  v4->sin_family = AF_INET;
  v4->sin_port = htons(port);
  std::memcpy(&v4->sin_addr, address.bytes.data(), 4);
  result.size = sizeof *v4;
  return result;
}

// "shop.example (192.0.2.1) port 443".
std::string name_of(const Peer& peer) {
  if (!peer.socket.empty()) return peer.socket;
  const std::string address = peer.address.text();
  return peer.host == address ? fmt::format("{} port {}", address, peer.port)
                              : fmt::format("{} ({}) port {}", peer.host, address, peer.port);
}

}  // namespace

struct ClientSocket::Impl {
  asio::io_context& io;
  std::unique_ptr<Transport> transport;
  Descriptor descriptor;  // the transport's own: let go of before it is closed
  std::string input;
  int interim = 0;  // heads before the response's, while a request is sent

  Impl(asio::io_context& context, Fd fd) : io(context), descriptor(context, fd.get()) {
    transport = std::make_unique<Transport>(std::move(fd));
  }
  ~Impl() { descriptor.release(); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  SocketWait wait(Want want, Instant until) { return SocketWait(io, descriptor, want, until); }
  // For an operation that would have blocked: TLS may have to read before it can write.
  Want want(Want otherwise) const {
    if (transport->wants_read()) return {.read = true};
    if (transport->wants_write()) return {.write = true};
    return otherwise;
  }

  async::Task<Result<void>> connect(Peer peer, Instant until);
  async::Task<Result<void>> secure(Peer peer, Instant until);
  IoResult read_some();
};

async::Task<Result<void>> ClientSocket::Impl::connect(Peer peer, Instant until) {
  const int fd = transport->fd();
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  const SocketAddress to = socket_address(peer);
  int error = 0;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to.storage), to.size) != 0) error = errno;
  if (error == EINPROGRESS) {
    if (co_await wait({.write = true}, until) == Wake::expired) {
      co_return too_late(fmt::format("{} does not answer", name_of(peer)));
    }
    socklen_t size = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error != 0) {
    co_return fail(code_of_connect(error),
                   fmt::format("cannot connect to {}: {}", name_of(peer), std::strerror(error)));
  }
  co_return Result<void>();
}

async::Task<Result<void>> ClientSocket::Impl::secure(Peer peer, Instant until) {
  if (!peer.tls) co_return Result<void>();
  // The descriptor is registered already: only the bytes' way changes.
  transport = make_client_tls(transport->take(), *peer.tls, peer.host);
  if (!transport) co_return failed("TLS cannot be set up");
  for (;;) {
    const IoResult result = transport->handshake();
    if (result.state == IoState::done) co_return Result<void>();
    if (result.state == IoState::closed) {
      std::string why = transport->reason();
      if (why.empty()) why = "the handshake failed";
      co_return fail(Code::egress_tls, fmt::format("no TLS with {}: {}", name_of(peer), why));
    }
    if (co_await wait(want({.read = true}), until) == Wake::expired) {
      co_return too_late(fmt::format("no TLS with {}: it takes too long", name_of(peer)));
    }
  }
}

IoResult ClientSocket::Impl::read_some() {
  std::array<char, 16 << 10> part;
  const IoResult result = transport->read(part);
  if (result.state == IoState::done) input.append(part.data(), result.bytes);
  return result;
}

ClientSocket::ClientSocket(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ClientSocket::~ClientSocket() = default;
std::string& ClientSocket::input() { return impl_->input; }

async::Task<Result<std::unique_ptr<ClientSocket>>> ClientSocket::open(async::Shard& shard,
                                                                      Peer peer, Instant until) {
  const int network = peer.address.v6 ? AF_INET6 : AF_INET;
  const int family = peer.socket.empty() ? network : AF_UNIX;
  Fd fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) co_return failed(fmt::format("no socket: {}", std::strerror(errno)));
  std::unique_ptr<Impl> impl;
  try {
    impl = std::make_unique<Impl>(shard.io(), std::move(fd));
  } catch (const boost::system::system_error& error) {
    co_return failed(fmt::format("no socket: {}", error.what()));
  }
  CARREL_CO_TRY_VOID(co_await impl->connect(peer, until));
  CARREL_CO_TRY_VOID(co_await impl->secure(peer, until));
  co_return std::unique_ptr<ClientSocket>(new ClientSocket(std::move(impl)));
}

async::Task<Result<bool>> ClientSocket::send(const std::string* bytes, Instant until,
                                             std::size_t most_heard) {
  for (std::size_t sent = 0; sent < bytes->size();) {
    const iovec part{.iov_base = const_cast<char*>(bytes->data()) + sent,
                     .iov_len = bytes->size() - sent};
    const IoResult result = impl_->transport->write({&part, 1});
    sent += result.bytes;
    if (result.state == IoState::closed) co_return false;
    if (result.state == IoState::done) continue;
    if (co_await impl_->wait({.read = true, .write = true}, until) == Wake::expired) {
      co_return too_late("the call took too long");
    }
    // A peer that has decided may answer without reading on.
    if (has_decided(most_heard)) co_return false;
  }
  co_return true;
}

async::Task<Result<std::size_t>> ClientSocket::receive(Instant until) {
  for (;;) {
    const IoResult result = impl_->read_some();
    if (result.state == IoState::done) co_return result.bytes;
    if (result.state == IoState::closed) {
      if (impl_->transport->broken()) co_return fail(Code::egress_closed, "the connection broke");
      co_return 0U;
    }
    if (co_await impl_->wait(impl_->want({.read = true}), until) == Wake::expired) {
      co_return too_late("the call took too long");
    }
  }
}

bool ClientSocket::has_decided(std::size_t most_heard) {
  constexpr std::string_view kInterim = "HTTP/1.1 1";
  if (impl_->read_some().state == IoState::closed) return true;
  std::string& heard = impl_->input;
  while (heard.starts_with(kInterim)) {
    const HeadEnd end = find_head_end(heard, 0);
    if (end.state == HeadEnd::State::malformed) return true;
    if (end.state != HeadEnd::State::found) return heard.size() > most_heard;
    if (++impl_->interim > kMaxInterim) return true;
    heard.erase(0, end.size);
  }
  return !kInterim.starts_with(heard);
}

async::Task<void> ClientSocket::until_heard(Instant until) {
  co_await impl_->wait({.read = true}, until);
}

bool ClientSocket::is_quiet() {
  impl_->interim = 0;
  return impl_->input.empty() && impl_->read_some().state == IoState::would_block;
}

}  // namespace carrel::net
