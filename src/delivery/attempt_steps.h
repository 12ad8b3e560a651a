// The commits of one attempt: that it begins, and what came of it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "delivery/receiver.h"
#include "turn/step.h"

namespace carrel::delivery {

// One more attempt of an item begins. What it refers to outlives it.
class Mark final : public turn::Step {
 public:
  Mark(const Receiver& receiver, const Clock& clock, const Name& name)
      : receiver_(receiver), clock_(clock), name_(name) {}

  async::Task<Result<void>> run(store::Transaction& transaction) override;

  std::optional<Item> item;  // nothing: it is gone
  bool lost = false;         // it has ended the process too often: it was not marked

 private:
  const Receiver& receiver_;
  const Clock& clock_;
  const Name& name_;
};

// Where a dead letter goes.
struct Burial {
  std::uint64_t dead_until = 0;   // milliseconds since 1970
  bool crowded = false;           // its lane has as many as it may have: the oldest makes room
  unsigned index = 0, count = 1;  // whose letters: this dispatcher's, of so many
};

// What came of an attempt that is not acknowledged yet. What it refers to outlives it.
class Settlement final : public turn::Step {
 public:
  Settlement(Receiver& receiver, const Item& item, const Verdict& verdict, const Burial& burial)
      : receiver_(receiver), item_(item), verdict_(verdict), burial_(burial) {}

  async::Task<Result<void>> run(store::Transaction& transaction) override;

  std::optional<Name> dropped;  // the dead letter that made room
  bool gone = false;            // its record has been erased meanwhile: nothing was written

 private:
  Result<void> write(store::Transaction& transaction, const std::string& name) const;
  async::Task<Result<void>> drop_oldest(store::Transaction* transaction);

  Receiver& receiver_;
  const Item& item_;
  const Verdict& verdict_;
  const Burial burial_;
};

}  // namespace carrel::delivery
