// What a guest uses, told while it runs to whoever pays for it.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace carrel {

// Owner: whoever pays; outlives the guest. Thread: its shard.
class GuestUse {
 public:
  // A slice is over: `cpu` was used in it, and `memory` bytes have been held for `held` since the
  // last one. A guest that waited held them as well.
  virtual void ran(Nanos cpu, std::uint64_t memory, Nanos held) noexcept = 0;

 protected:
  ~GuestUse() = default;
};

}  // namespace carrel
