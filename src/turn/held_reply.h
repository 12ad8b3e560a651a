// A held reply: what a gated turn wants to say, kept until the turn is committed and durable.
#pragma once

#include "base/spill_buffer.h"
#include "net/http.h"

namespace carrel::turn {

inline constexpr std::size_t kHeldInMemory = 1 << 20;   // bytes; beyond: in a file
inline constexpr std::uint64_t kHeldAtMost = 32 << 20;  // bytes; beyond: the turn fails

struct HeldReply {
  net::ReplyHead head;
  SpillBuffer body{kHeldInMemory, {}};
  net::Fields trailers = {};
};

// Sends it. Errors: those of ReplySink; io.
async::Task<Result<void>> send(HeldReply reply, net::ReplySink& sink);

}  // namespace carrel::turn
