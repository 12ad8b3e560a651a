#include "net/client_response.h"

#include <algorithm>
#include <cstring>

namespace carrel::net {

ClientResponse::ClientResponse(CallConnection connection, ResponseHead head, Rest rest)
    : connection_(std::move(connection)),
      head_(std::move(head)),
      rest_(rest),
      length_left_(head_.length) {
  if (auto moved = advance(); !moved) (void)give_up(std::move(moved).error());
}

Fields ClientResponse::trailers() const {
  Fields fields;
  for (const Header& field : chunks_.trailers()) fields.emplace_back(field.name, field.value);
  return fields;
}

// Bytes of the body that are there, framing aside.
std::uint64_t ClientResponse::available() const {
  if (ended_ || !connection_.socket) return 0;
  const std::uint64_t here = connection_.socket->input().size() - taken_;
  switch (head_.body) {
    case BodyKind::length:
      return std::min(here, length_left_);
    case BodyKind::chunked:
      return std::min(here, chunks_.data_left());
    default:
      return here;
  }
}

// Steps over framing, and sees the body's end.
Result<void> ClientResponse::advance() {
  switch (head_.body) {
    case BodyKind::none:
      end();
      return {};
    case BodyKind::until_close:
      return {};
    case BodyKind::length:
      if (length_left_ == 0) end();
      return {};
    case BodyKind::chunked:
      taken_ += chunks_.skip_framing(std::string_view(connection_.socket->input()).substr(taken_));
      if (chunks_.failed()) {
        return fail(Code::egress_bad_response,
                    "the response is not valid: its chunks are malformed");
      }
      if (chunks_.done()) end();
      return {};
  }
  return {};
}

std::size_t ClientResponse::read(std::span<std::byte> into) {
  const auto n = static_cast<std::size_t>(
      std::min({available(), std::uint64_t{into.size()}, rest_.bytes_left}));
  if (n == 0) return 0;
  std::memcpy(into.data(), connection_.socket->input().data() + taken_, n);
  taken_ += n;
  rest_.bytes_left -= n;
  if (head_.body == BodyKind::length) length_left_ -= n;
  if (head_.body == BodyKind::chunked) chunks_.take(n);
  if (auto moved = advance(); !moved) (void)give_up(std::move(moved).error());
  return n;
}

async::Task<Result<void>> ClientResponse::wait() {
  while (!failed_ && !ended_) {
    if (available() > 0) {
      if (rest_.bytes_left > 0) co_return Result<void>();
      co_return std::unexpected(
          give_up(Error(Code::egress_too_large, "the response is larger than a call may bring")));
    }
    connection_.socket->input().erase(0, taken_);
    taken_ = 0;
    const auto received = co_await connection_.socket->receive(rest_.until);
    if (!received) co_return std::unexpected(give_up(received.error()));
    if (*received > 0) {
      if (auto moved = advance(); !moved) {
        co_return std::unexpected(give_up(std::move(moved).error()));
      }
    } else if (head_.body == BodyKind::until_close) {
      end();
    } else {
      co_return std::unexpected(give_up(Error(Code::egress_closed, "the response ended early")));
    }
  }
  if (failed_) co_return std::unexpected(*failed_);
  co_return Result<void>();
}

// Bytes after the end were not asked for: such a connection is not used again.
void ClientResponse::end() {
  ended_ = true;
  auto socket = std::move(connection_.socket);
  socket->input().erase(0, taken_);
  taken_ = 0;
  if (rest_.keep && socket->is_quiet()) {
    connection_.lease.keep(connection_.origin, std::move(socket));
  }
  socket.reset();
  connection_.lease.end();
}

Error ClientResponse::give_up(Error error) {
  failed_ = error;
  connection_.socket.reset();
  connection_.lease.end();
  return error;
}

}  // namespace carrel::net
