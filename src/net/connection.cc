#include "net/connection.h"

#include <array>
#include <utility>

#include "async/pause.h"

namespace carrel::net {
namespace {

constexpr unsigned kMostInARow =
    16;  // requests of one connection before the others have their turn
constexpr unsigned kMostEmptyLines = 4;         // before a request
constexpr std::uint64_t kLingerStep = 1 << 20;  // bytes between two looks at the others
constexpr std::chrono::seconds kLingerTime{2};
constexpr std::size_t kKeptBytes = 8 << 10;  // of buffers between two requests

}  // namespace

// Waits for the handler's task. False: the peer has gone, and the task is to be destroyed.
struct Connection::Handling {
  Connection* connection;
  async::Task<void>* task;
  bool suspended = false;

  bool await_ready() const noexcept { return task->done() || connection->peer_has_gone(); }
  void await_suspend(std::coroutine_handle<> caller) noexcept {
    task->continue_with(caller);
    connection->handling_ = caller;
    suspended = true;
  }
  bool await_resume() noexcept {
    suspended = false;
    connection->handling_ = nullptr;
    return task->done();
  }
  ~Handling() {
    if (suspended) connection->handling_ = nullptr;
  }
};

Connection::Connection(Host& host, std::unique_ptr<Transport> transport, Peer peer)
    : host_(host),
      channel_(std::move(transport), *this, host.tick, host.limits.write_pause),
      body_(channel_, input_, spare_, host_.limits),
      reply_(host.shard, channel_, body_),
      patience_(host.tick.now + host.limits.header_time),
      life_(live()) {
  request_.remote_address = std::move(peer.address);
  request_.remote_port = peer.port;
  request_.local_port = peer.local_port;
  request_.scheme = peer.scheme;
}

void Connection::drain() {
  reply_.close_after();
  if (!head_begun_ && handling_ == nullptr) channel_.wake_reader();
}

// While the reply leaves, the bytes themselves tell who is there: some clients only close their
// side.
bool Connection::peer_has_gone() const {
  return channel_.is_peer_closed() && !channel_.output_blocked() && !reply_.pausing();
}

void Connection::peer_closed() {
  if (!peer_has_gone()) return;
  if (auto waiter = std::exchange(handling_, nullptr)) waiter.resume();
}

async::Task<void> Connection::live() {
  bool going = co_await shake_hands();
  while (going) {
    Next next = next_request();
    if (next == Next::wait) {
      in_a_row_ = 0;
      if (co_await channel_.input(patience_) == Channel::Wake::ready) continue;
      next = head_begun_ ? refuse(Error(Code::request_timeout, "the head did not arrive in time"))
                         : Next::end;
    }
    if (next == Next::request) {
      going = co_await serve();
      continue;
    }
    if (next == Next::refuse) co_await answer_refusal();
    going = false;
  }
  host_.retire(*this);
}

async::Task<bool> Connection::shake_hands() {
  while (true) {
    const IoResult result = channel_.transport().handshake();
    if (result.state == IoState::closed) co_return false;
    if (result.state == IoState::done) break;
    if (host_.draining) co_return false;
    if (co_await channel_.input(patience_) == Channel::Wake::expired) co_return false;
  }
  patience_ = host_.tick.now + host_.limits.idle_time;
  co_return true;
}

// Reads until a head is complete or nothing more is there.
Connection::Next Connection::next_request() {
  while (true) {
    while (searched_ == 0 && input_.view().starts_with("\r\n")) {  // some clients end bodies so
      if (++empty_lines_ > kMostEmptyLines)
        return refuse(Error(Code::bad_request, "there is no request"));
      input_.consume(2);
    }
    const bool half = input_.view() == "\r";
    const HeadEnd end =
        half ? HeadEnd{HeadEnd::State::incomplete} : find_head_end(input_.view(), searched_);
    if (end.state == HeadEnd::State::malformed)
      return refuse(Error(Code::bad_request, "the head is not valid"));
    if (end.state == HeadEnd::State::found) return understand(end.size);
    searched_ = half ? 0 : input_.size();
    if (!input_.empty() && !std::exchange(head_begun_, true))
      patience_ = host_.tick.now + host_.limits.header_time;
    const auto room = input_.room(host_.limits.header_bytes);
    if (room.empty()) {
      const bool line_ended = input_.view().find('\n') != std::string_view::npos;
      return refuse(Error(line_ended ? Code::headers_too_large : Code::target_too_long,
                          "the head is too large"));
    }
    const IoResult result = channel_.read(room);
    if (result.state == IoState::closed) return Next::end;
    if (result.state == IoState::would_block)
      return host_.draining && !head_begun_ ? Next::end : Next::wait;
    input_.added(result.bytes);
  }
}

Connection::Next Connection::understand(std::size_t head_size) {
  if (head_size > host_.limits.header_bytes)
    return refuse(Error(Code::headers_too_large, "the head is too large"));
  auto framing =
      parse_head(input_.view().substr(0, head_size), host_.limits.header_count, request_);
  if (!framing) return refuse(std::move(framing).error());
  if (request_.content_length.value_or(0) > host_.limits.body_bytes) {
    return refuse(Error(Code::body_too_large, "the body is too large"));
  }
  framing_ = *framing;
  head_size_ = head_size;
  return Next::request;
}

Connection::Next Connection::refuse(Error error) {
  refused_ = std::make_unique<Error>(std::move(error));
  return Next::refuse;
}

async::Task<void> Connection::answer_refusal() {
  const Instant began = start_time();
  const std::uint64_t sent = channel_.bytes_out();
  id_ = host_.next_id++;
  head_size_ = input_.size();
  request_.method = request_.target = request_.path = request_.query = request_.host = {};
  request_.headers.clear();
  request_.version_minor = 1;
  request_.content_length.reset();
  request_.has_body = false;
  body_.begin(request_, Framing());
  co_await answer_problem(*refused_);
  log(began, sent);
  co_await linger();
}

async::Task<void> Connection::answer_problem(Error error) {
  reply_.begin(request_, Reply::Persistence::close);
  const std::string body = problem_body(error, id_);
  ReplyHead head = problem_head(error);
  (void)co_await reply_.send(std::move(head), body);
}

async::Task<bool> Connection::serve() {
  const Instant began = start_time();
  const std::uint64_t sent = channel_.bytes_out();
  id_ = host_.next_id++;
  input_.consume(head_size_);  // its bytes stay where they are until `ready_for_next`
  searched_ = 0;
  body_.begin(request_, framing_);
  const bool keep = framing_.keep_alive && !host_.draining;
  reply_.begin(request_, keep ? Reply::Persistence::keep : Reply::Persistence::close);
  const bool answered = co_await handle();
  if (answered && !reply_.started()) co_await answer_problem(Error(Code::internal));
  log(began, sent);
  if (!answered || !reply_.finished()) {
    channel_.transport().reset();
    co_return false;
  }
  if (reply_.persistence() == Reply::Persistence::keep) {
    bool skipped = body_.finished();
    if (!skipped) skipped = co_await body_.skip();
    if (skipped) {
      ready_for_next();
      if (++in_a_row_ % kMostInARow == 0) co_await async::pause(host_.shard);
      co_return true;
    }
  }
  const bool clean = body_.finished() && input_.empty() && spare_.empty();
  if (clean) {
    channel_.transport().finish();
  } else {
    co_await linger();
  }
  co_return false;
}

// False: the client went away first, and the handler was cancelled.
async::Task<bool> Connection::handle() {
  Exchange exchange{.request = request_, .body = body_, .reply = reply_, .id = id_};
  async::Task<void> task = host_.handler.handle(exchange);
  task.start();
  if (task.done()) co_return true;
  Handling handling{this, &task};
  co_return co_await handling;
}

void Connection::ready_for_next() {
  if (input_.empty()) input_.swap(spare_);
  if (spare_.capacity() > kKeptBytes) spare_.release();
  if (input_.empty() && input_.capacity() > kKeptBytes) input_.release();
  if (channel_.output().capacity() > kKeptBytes) channel_.output() = std::string();
  head_begun_ = false;
  empty_lines_ = 0;
  patience_ = host_.tick.now + host_.limits.idle_time;
}

Instant Connection::start_time() const {
  return host_.access_log == nullptr ? Instant() : std::chrono::steady_clock::now();
}

void Connection::log(Instant began, std::uint64_t sent_before) const {
  if (host_.access_log == nullptr) return;
  host_.access_log->write(
      {.request = request_,
       .status = reply_.started() ? reply_.status() : http_status(Code::connection_closed),
       .id = id_,
       .bytes_in = head_size_ + body_.bytes(),
       .bytes_out = channel_.bytes_out() - sent_before,
       .duration = std::chrono::steady_clock::now() - began});
}

// Closing with unread input would reset the connection, and the reply might be lost with it.
async::Task<void> Connection::linger() {
  channel_.transport().finish();
  std::array<char, 16 << 10> dropped;
  const Instant until = host_.tick.now + kLingerTime;
  std::uint64_t total = 0;
  std::uint64_t step = 0;
  while (total < host_.limits.body_bytes && host_.tick.now < until) {
    const IoResult result = channel_.read(dropped);
    total += result.bytes;
    step += result.bytes;
    if (result.state == IoState::closed) co_return;
    if (step >= kLingerStep) {
      step = 0;
      co_await async::pause(host_.shard);
    }
    if (result.state == IoState::done) continue;
    if (co_await channel_.input(until) == Channel::Wake::expired) co_return;
  }
}

}  // namespace carrel::net
