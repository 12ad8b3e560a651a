#include "api/body.h"

#include <fmt/format.h>

#include <array>

namespace carrel::api {
namespace {

std::unexpected<Error> too_large(std::size_t most) {
  return fail(Code::body_too_large, fmt::format("it is at most {} bytes long", most));
}

}  // namespace

async::Task<Result<std::string>> read_body(net::RequestBody* body, std::size_t most) {
  constexpr std::size_t kPiece = 16 << 10;
  std::string text;
  std::array<std::byte, kPiece> piece;
  while (!body->finished()) {
    const std::size_t n = body->read(piece);
    text.append(reinterpret_cast<const char*>(piece.data()), n);
    if (text.size() > most) co_return too_large(most);
    if (n > 0) continue;
    if (auto more = co_await body->wait(); !more)
      co_return std::unexpected(std::move(more).error());
  }
  co_return text;
}

async::Task<Result<SecretBytes>> read_secret_body(net::RequestBody* body, std::size_t most) {
  SecretBytes secret(most + 1);
  std::size_t size = 0;
  while (!body->finished()) {
    const std::size_t n = body->read(secret.room().subspan(size));
    size += n;
    if (size > most) co_return too_large(most);
    if (n > 0) continue;
    if (auto more = co_await body->wait(); !more)
      co_return std::unexpected(std::move(more).error());
  }
  secret.shorten(size);
  co_return secret;
}

}  // namespace carrel::api
