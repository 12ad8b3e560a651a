#include "cli/whole_body.h"

#include <array>

namespace carrel::cli {
namespace {

constexpr std::size_t kMostBody = 1 << 20;

async::Task<Result<std::string>> read_at_most(async::ByteSource* body, std::size_t most) {
  std::string text;
  std::array<std::byte, 16 << 10> piece;
  while (!body->finished()) {
    const std::size_t n = body->read(piece);
    if (n > most - text.size()) {
      co_return fail(Code::invalid_argument, "the body of a call in a test case has at most 1 MiB");
    }
    text.append(reinterpret_cast<const char*>(piece.data()), n);
    if (n > 0 || body->finished()) continue;
    CARREL_CO_TRY_VOID(co_await body->wait());
  }
  co_return text;
}

}  // namespace

async::Task<Result<std::string>> read_whole(async::ByteSource* body) {
  return read_at_most(body, SIZE_MAX);
}

async::Task<Result<void>> gather(net::OutgoingRequest* request) {
  if (!request->stream) co_return Result<void>();
  CARREL_CO_TRY(request->body, co_await read_at_most(request->stream->source, kMostBody));
  request->stream.reset();
  co_return Result<void>();
}

}  // namespace carrel::cli
