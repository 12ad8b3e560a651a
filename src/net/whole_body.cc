#include "net/whole_body.h"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace carrel::net {

async::Task<Result<std::string>> read_whole(async::ByteSource* body, std::size_t most,
                                            std::optional<Error> too_large) {
  std::string text;
  std::array<std::byte, 16 << 10> piece;
  while (!body->finished()) {
    const std::size_t size = body->read(piece);
    if (size > most - text.size()) {
      if (too_large) co_return std::unexpected(std::move(*too_large));
      co_return fail(Code::egress_too_large, fmt::format("it answered more than {} bytes", most));
    }
    text.append(reinterpret_cast<const char*>(piece.data()), size);
    if (size == 0 && !body->finished()) CARREL_CO_TRY_VOID(co_await body->wait());
  }
  co_return text;
}

}  // namespace carrel::net
