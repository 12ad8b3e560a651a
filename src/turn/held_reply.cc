#include "turn/held_reply.h"

namespace carrel::turn {
namespace {

constexpr std::size_t kPiece = 64 << 10;

}  // namespace

async::Task<Result<void>> send(HeldReply reply, net::ReplySink& sink) {
  if (!reply.trailers.empty()) sink.give_trailers(reply.trailers);
  if (!reply.body.spilled()) {
    co_return co_await sink.send(std::move(reply.head), reply.body.memory());
  }
  CARREL_CO_TRY_VOID(co_await sink.start(std::move(reply.head), reply.body.size()));
  for (std::uint64_t at = 0; at < reply.body.size();) {
    CARREL_CO_TRY(const std::string piece, reply.body.read(at, kPiece));
    CARREL_CO_TRY_VOID(co_await sink.write(piece));
    at += piece.size();
  }
  co_return co_await sink.finish();
}

}  // namespace carrel::turn
