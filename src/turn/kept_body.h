// A kept body: an event's body that can be read again when its turn is run again.
#pragma once

#include <string>

#include "async/stream.h"

namespace carrel::turn {

inline constexpr std::size_t kMostKept = 1 << 20;  // bytes; a turn that read more is not run again

// Owner: the runtime, for one turn. Thread: its shard. `source` outlives it.
class KeptBody final : public async::ByteSource {
 public:
  explicit KeptBody(async::ByteSource& source) : source_(source) {}

  std::size_t read(std::span<std::byte> into) override;
  bool ready() const override { return at_ < kept_.size() || source_.ready(); }
  bool finished() const override { return at_ == kept_.size() && source_.finished(); }
  async::Task<Result<void>> wait() override;

  // From the first byte again. False: more was read than is kept.
  bool rewind();
  // All that has been read so far. Precondition: `rewind` would do.
  std::string_view kept() const { return kept_; }

 private:
  async::ByteSource& source_;
  std::string kept_;
  std::size_t at_ = 0;  // in kept_; its end while it is not being read again
  bool too_large_ = false;
};

}  // namespace carrel::turn
