#include "net/reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "async/pause.h"

namespace carrel::net {
namespace {

constexpr std::size_t kGatherBytes = 16 << 10;  // writes below this are gathered
constexpr std::size_t kMostInOneGo =
    1 << 20;  // of one reply, before other connections have their turn

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

// What the connection says itself, or may not be said by who does not own the connection.
bool is_framing(std::string_view name) {
  constexpr std::array<std::string_view, 9> kNames = {"connection", "content-length",    "date",
                                                      "keep-alive", "proxy-connection",  "te",
                                                      "trailer",    "transfer-encoding", "upgrade"};
  return std::ranges::any_of(kNames,
                             [&](std::string_view known) { return same_name(known, name); });
}

bool has_no_body(int status) { return status == 204 || status == 304; }

}  // namespace

void Reply::begin(const Request& request, Persistence persistence) {
  request_ = &request;
  trailers_.clear();
  head_only_ = request.method == "HEAD";
  old_ = request.version_minor == 0;
  persistence_ = persistence;
  state_ = State::fresh;
  status_ = 0;
  in_one_go_ = 0;
  pausing_ = false;
}

// Who does not say so may drop them, and what they say with them (RFC 9110, 6.5.1).
bool Reply::takes_trailers() const {
  return !old_ && std::ranges::any_of(request_->headers, [](const Header& header) {
    return same_name(header.name, "te") && has_option(header.value, "trailers");
  });
}

Result<void> Reply::put_head(const ReplyHead& head, std::optional<std::uint64_t> length) {
  if (started()) return fail(Code::internal, "the reply was started twice");
  if (head.status < 200 || head.status > 599)
    return fail(Code::internal, "the reply's status is not valid");
  for (const auto& [name, value] : head.headers) {
    if (!is_field_name(name) || !is_field_value(value))
      return fail(Code::internal, "a header of the reply is not valid");
  }
  if (!body_.finished() && !body_.worth_skipping()) persistence_ = Persistence::close;
  body_.stop_asking();
  state_ = State::started;
  status_ = head.status;
  std::string& out = channel_.output();
  out += "HTTP/1.1 ";
  out += std::to_string(head.status);
  out += ' ';
  out += reason(head.status);
  out += "\r\n";
  out += channel_.tick().date;
  for (const auto& [name, value] : head.headers) {
    const bool announces = !length && same_name(name, "trailer") && takes_trailers();
    if (is_framing(name) && !announces) continue;
    out.append(name).append(": ").append(value).append("\r\n");
  }
  put_framing(length);
  return {};
}

void Reply::put_framing(std::optional<std::uint64_t> length) {
  std::string& out = channel_.output();
  left_ = length.value_or(0);
  if (has_no_body(status_)) {
    coding_ = Coding::none;
  } else if (length) {
    coding_ = Coding::length;
    fmt::format_to(std::back_inserter(out), "Content-Length: {}\r\n", *length);
  } else if (old_) {
    coding_ = Coding::until_close;
    persistence_ = Persistence::close;
  } else {
    coding_ = Coding::chunked;
    out += "Transfer-Encoding: chunked\r\n";
  }
  if (head_only_) coding_ = Coding::none;
  if (persistence_ == Persistence::close) {
    out += "Connection: close\r\n";
  } else if (old_) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

// What can be sent at once needs no coroutine of its own.
async::Task<Result<void>> Reply::send_all(std::string_view body) {
  CARREL_CO_TRY(const bool all, channel_.try_send(body));
  if (all) co_return Result<void>();
  co_return co_await channel_.send(body);
}

async::Task<Result<void>> Reply::send(ReplyHead head, std::string_view body) {
  if (!trailers_.empty() && takes_trailers()) {
    CARREL_CO_TRY_VOID(put_head(head, std::nullopt));
    CARREL_CO_TRY_VOID(co_await write(body));
    co_return co_await finish();
  }
  CARREL_CO_TRY_VOID(put_head(head, body.size()));
  if (coding_ == Coding::none) body = {};
  CARREL_CO_TRY(const bool all, channel_.try_send(body));
  if (!all) {
    CARREL_CO_TRY_VOID(co_await channel_.send(body));
  }
  state_ = State::finished;
  co_return Result<void>();
}

async::Task<Result<void>> Reply::start(ReplyHead head, std::optional<std::uint64_t> length) {
  if (!trailers_.empty() && takes_trailers()) length.reset();
  CARREL_CO_TRY_VOID(put_head(head, length));
  flush_soon();
  co_return Result<void>();
}

async::Task<Result<void>> Reply::write(std::string_view bytes) {
  if (state_ != State::started) co_return fail(Code::internal, "the reply is not being written");
  if (in_one_go_ >= kMostInOneGo) {
    in_one_go_ = 0;
    pausing_ = true;
    co_await async::pause(shard_);
    pausing_ = false;
  }
  in_one_go_ += bytes.size();
  if (coding_ == Coding::none || bytes.empty()) co_return Result<void>();
  if (coding_ == Coding::length) {
    if (bytes.size() > left_)
      co_return fail(Code::internal, "the reply is longer than its head says");
    left_ -= bytes.size();
  }
  std::string& out = channel_.output();
  if (coding_ == Coding::chunked) fmt::format_to(std::back_inserter(out), "{:x}\r\n", bytes.size());
  if (out.size() + bytes.size() > kGatherBytes || channel_.output_blocked()) {
    CARREL_CO_TRY_VOID(co_await send_all(bytes));
  } else {
    out += bytes;
  }
  if (coding_ == Coding::chunked) out += "\r\n";
  flush_soon();
  co_return Result<void>();
}

Result<void> Reply::put_end() {
  for (const auto& [name, value] : trailers_) {
    if (is_field_name(name) && is_field_value(value) && may_be_trailer(name)) continue;
    abort();
    return fail(Code::internal, "a trailer of the reply is not valid");
  }
  if (!trailers_.empty() && !takes_trailers()) trailers_.clear();
  std::string& out = channel_.output();
  out += "0\r\n";
  for (const auto& [name, value] : trailers_)
    out.append(name).append(": ").append(value).append("\r\n");
  out += "\r\n";
  return {};
}

async::Task<Result<void>> Reply::finish() {
  if (state_ != State::started) co_return fail(Code::internal, "the reply is not being written");
  if (coding_ == Coding::length && left_ > 0) {
    abort();
    co_return fail(Code::internal, "the reply is shorter than its head says");
  }
  if (coding_ == Coding::chunked) CARREL_CO_TRY_VOID(put_end());
  CARREL_CO_TRY_VOID(co_await send_all({}));
  state_ = State::finished;
  co_return Result<void>();
}

void Reply::abort() {
  if (state_ == State::started) state_ = State::aborted;
}

// What a handler writes in one go leaves in one system call, and nothing waits longer than that.
void Reply::flush_soon() {
  if (std::exchange(flush_scheduled_, true)) return;
  shard_.submit([this, alive = alive_] {
    if (!*alive) return;
    flush_scheduled_ = false;
    if (state_ == State::started) channel_.flush();
  });
}

}  // namespace carrel::net
