#include "net/server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <vector>

#include "async/event.h"
#include "async/first_of.h"
#include "base/fd.h"
#include "base/handle.h"
#include "net/connection.h"
#include "net/unix_listener.h"

namespace carrel::net {
namespace {

using std::chrono::milliseconds;

constexpr int kBacklog = 1024;
constexpr milliseconds kTickPeriod{250};
constexpr int kMostAccepts = 64;  // before other sockets have their turn

// "Wed, 25 Nov 2026 02:30:00 GMT", in no locale.
std::string date_line() {
  constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  return fmt::format("Date: {}, {:02} {} {} {:02}:{:02}:{:02} GMT\r\n", kDays[utc.tm_wday],
                     utc.tm_mday, kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                     utc.tm_sec);
}

// Ids of one process's servers do not meet.
std::uint64_t first_id() {
  std::uint64_t id = 0;
  (void)::getrandom(&id, sizeof id, 0);
  return id;
}

// Fine enough for the shortest limit.
milliseconds tick_period(const ServerLimits& limits) {
  const milliseconds shortest =
      std::min({limits.header_time, limits.body_pause, limits.write_pause, limits.idle_time});
  return std::clamp(shortest / 4, milliseconds(1), kTickPeriod);
}

std::unexpected<Error> cannot_listen(const Server::Options& options, std::string_view why) {
  return fail(Code::unavailable,
              fmt::format("cannot listen on {} port {}: {}", options.address, options.port, why),
              "choose another address or port, or stop what uses it");
}

Result<Fd> bind_socket(const addrinfo& place, const Server::Options& options, PortUse use) {
  // Sharing lets any process of this user in, so it is first tried without.
  if (use == PortUse::first && options.port != 0) {
    CARREL_TRY_VOID(bind_socket(place, options, PortUse::alone));
  }
  Fd fd(::socket(place.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return cannot_listen(options, std::strerror(errno));
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (use != PortUse::alone) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  if (::bind(fd.get(), place.ai_addr, place.ai_addrlen) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    return cannot_listen(options, std::strerror(errno));
  }
  return fd;
}

Result<Fd> open_socket(const Server::Options& options) {
  if (options.socket != nullptr) return options.socket->share();
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(options.port);
  if (const int failed = ::getaddrinfo(options.address.c_str(), port.c_str(), &wanted, &found);
      failed != 0) {
    return cannot_listen(options, ::gai_strerror(failed));
  }
  const Handle<addrinfo, freeaddrinfo> list(found);
  return bind_socket(*list, options, options.use);
}

struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
};

Endpoint describe(const sockaddr_storage& from) {
  if (from.ss_family == AF_UNIX) return {"local", 0};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (from.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    std::string_view address = text.data();
    if (address.starts_with("::ffff:") && address.contains('.'))
      address.remove_prefix(7);  // IPv4 on this socket
    return {std::string(address), ntohs(v6.sin6_port)};
  }
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
  ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  return {text.data(), ntohs(v4.sin_port)};
}

std::uint16_t port_of(const Fd& socket) {
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size);
  return describe(own).port;
}

}  // namespace

struct Server::Impl final : Host, Poller::Watched {
  Impl(async::Shard& on, Handler& with, Options how, Fd socket, std::unique_ptr<Poller> set)
      : Host(on, with, how.access_log, how.limits, first_id()),
        options(std::move(how)),
        port(port_of(socket)),
        poller(std::move(set)),
        listener(std::move(socket)),
        timer(on.io()) {}
  ~Impl() { *alive = false; }

  void on_ready(std::uint32_t) override { accept_some(); }
  void retire(Connection& connection) override;

  void accept_some();
  bool accept_one();
  void pause_accepting();
  void resume_accepting();
  void renew_tick();
  void run_timer();
  void on_tick();
  void sweep();
  async::Task<void> wait_until_empty();

  Options options;
  std::uint16_t port;
  std::unique_ptr<Poller> poller;
  Fd listener;
  bool accepting = false;
  boost::asio::steady_timer timer;
  bool timing = false;
  std::vector<std::unique_ptr<Connection>> connections;
  observe::Gauge open;  // connections
  std::vector<std::unique_ptr<Connection>> retired;
  async::Event emptied;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

void Server::Impl::accept_some() {
  for (int i = 0; i < kMostAccepts && accepting; ++i) {
    if (!accept_one()) return;
  }
}

// False: nobody waits.
bool Server::Impl::accept_one() {
  if (connections.size() >= limits.connections) {
    pause_accepting();
    return false;
  }
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  Fd fd(::accept4(listener.get(), reinterpret_cast<sockaddr*>(&from), &size,
                  SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd) {
    if (errno == ECONNABORTED || errno == EINTR) return true;
    if (errno != EAGAIN && errno != EWOULDBLOCK)
      pause_accepting();  // no descriptors: tried again at a tick
    return false;
  }
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  run_timer();
  auto transport = options.tls ? make_tls(std::move(fd), *options.tls)
                               : std::make_unique<Transport>(std::move(fd));
  if (!transport) return true;
  Endpoint peer = describe(from);
  auto connection =
      std::make_unique<Connection>(*this, std::move(transport),
                                   Peer{std::move(peer.address), peer.port, port,
                                        options.tls ? std::string_view("https") : "http"});
  Channel& channel = connection->channel();
  constexpr std::uint32_t kEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  if (!poller->add(channel.transport().fd(), kEvents, channel)) return true;
  connection->index = connections.size();
  connections.push_back(std::move(connection));
  ++open;
  connections.back()->start();
  return true;
}

void Server::Impl::pause_accepting() {
  if (!std::exchange(accepting, false)) return;
  poller->change(listener.get(), 0, *this);
  run_timer();
}

void Server::Impl::resume_accepting() {
  if (draining || !listener || std::exchange(accepting, true)) return;
  poller->change(listener.get(), EPOLLIN, *this);
}

void Server::Impl::renew_tick() {
  tick.now = std::chrono::steady_clock::now();
  tick.date = date_line();
}

// Ticks only while there is something to watch.
void Server::Impl::run_timer() {
  if (timing) return;
  timing = true;
  renew_tick();
  timer.expires_after(tick_period(limits));
  timer.async_wait([this, alive = alive](boost::system::error_code failed) {
    if (!*alive || failed) return;
    timing = false;
    on_tick();
  });
}

void Server::Impl::on_tick() {
  renew_tick();
  for (std::size_t i = 0; i < connections.size(); ++i) connections[i]->channel().check_deadlines();
  if (!accepting && connections.size() < limits.connections) resume_accepting();
  if (!connections.empty() || !accepting) run_timer();
}

// Called from within the connection's own coroutine: it goes later. Its events may be on their way
// too.
void Server::Impl::retire(Connection& connection) {
  const std::size_t index = connection.index;
  std::swap(connections[index], connections.back());
  connections[index]->index = index;
  retired.push_back(std::move(connections.back()));
  connections.pop_back();
  --open;
  if (retired.size() == 1) {
    shard.submit([this, alive = alive] {
      if (*alive) sweep();
    });
  }
}

void Server::Impl::sweep() {
  retired.clear();
  if (!draining && !accepting && connections.size() < limits.connections) resume_accepting();
  if (connections.empty()) emptied.signal();
}

async::Task<void> Server::Impl::wait_until_empty() {
  while (!connections.empty() || !retired.empty()) co_await emptied;
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::listen(async::Shard& shard, Handler& handler,
                                               Options options) {
  CARREL_TRY(Fd socket, open_socket(options));
  options.socket = nullptr;
  CARREL_TRY(auto poller, Poller::make(shard));
  return std::unique_ptr<Server>(new Server(std::make_unique<Impl>(
      shard, handler, std::move(options), std::move(socket), std::move(poller))));
}

std::uint16_t Server::port() const { return impl_->port; }
const observe::Gauge& Server::connections() const { return impl_->open; }

void Server::start() {
  impl_->renew_tick();
  impl_->accepting = true;
  impl_->poller->add(impl_->listener.get(), EPOLLIN, *impl_);
}

async::Task<void> Server::drain(milliseconds bound) {
  Impl& impl = *impl_;
  impl.accept_some();  // who was let in by the kernel is served
  impl.accepting = false;
  impl.draining = true;
  impl.listener.reset();
  for (std::size_t i = impl.connections.size(); i-- > 0;) {
    if (i < impl.connections.size()) impl.connections[i]->drain();
  }
  auto empty = impl.wait_until_empty();
  auto late = impl.shard.sleep_for(bound);
  (void)co_await async::first_of(std::move(empty), std::move(late));
  for (; !impl.connections.empty(); --impl.open) impl.connections.pop_back();
}

}  // namespace carrel::net
