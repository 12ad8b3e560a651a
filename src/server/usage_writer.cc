#include "server/usage_writer.h"

#include <algorithm>
#include <vector>

#include "async/first_of.h"
#include "tenant/path.h"
#include "turn/step.h"

namespace carrel::server {
namespace {

using async::Task;

constexpr std::size_t kAtOnce = 500;           // records a commit
constexpr std::size_t kMostWaiting = 100'000;  // while the store takes nothing

struct Addition final : turn::Step {
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(damaged, co_await tenant::add_usage(&transaction, entries));
    co_return Result<void>();
  }
  std::vector<tenant::HourlySpent> entries;
  std::vector<std::string> damaged;
};

Task<void> until(async::Event* event) { co_await *event; }

}  // namespace

// An hour's use is the hour's: the last reading of it is at its end.
Nanos UsageWriter::until_next() const {
  const auto left = tenant::begin_of(tenant::hour_of(clock_.wall()) + 1) - clock_.wall();
  return std::clamp<Nanos>(left, std::chrono::milliseconds(1), kEvery);
}

void UsageWriter::gather() {
  std::size_t dropped = 0;
  for (auto& [who, spent] : meter_.read()) {
    const auto key = std::pair(who, hour_);
    if (waiting_.size() < kMostWaiting || waiting_.contains(key)) {
      waiting_[key] += spent;
    } else {
      ++dropped;
    }
  }
  hour_ = tenant::hour_of(clock_.wall());
  if (dropped > 0)
    log_.write(observe::Level::error, "usage_dropped",
               {{"modules", static_cast<std::uint64_t>(dropped)}});
}

Task<void> UsageWriter::flush(UsageWriter* self) {
  self->gather();
  while (!self->waiting_.empty()) {
    Addition step;
    for (const auto& [key, spent] : self->waiting_) {
      if (step.entries.size() == kAtOnce) break;
      step.entries.push_back({.who = key.first, .hour = key.second, .spent = spent});
    }
    const auto done = co_await turn::commit(self->services_, tenant::kNode, {}, &step);
    // Nobody is billed twice for what may have been written.
    const bool over = done || done.error().code() == Code::commit_unknown;
    if (!done && !self->failing_)
      self->log_.write(
          observe::Level::error, over ? "usage_dropped" : "usage_not_written",
          {{"code", code_name(done.error().code())}, {"message", done.error().message()}});
    self->failing_ = !done;
    // They begin anew: one that is damaged keeps nobody else's from being counted.
    if (done) {
      for (const std::string& name : step.damaged)
        self->log_.write(observe::Level::error, "usage_damaged", {{"record", name}});
    }
    if (!over) co_return;  // later
    for (const auto& entry : step.entries) self->waiting_.erase({entry.who, entry.hour});
  }
}

Task<void> UsageWriter::run(UsageWriter* self) {
  self->running_ = true;
  self->hour_ = tenant::hour_of(self->clock_.wall());
  while (!self->stopping_) {
    co_await async::first_of(until(&self->stop_), self->shard_.sleep_for(self->until_next()));
    co_await flush(self);
  }
  co_await flush(self);  // what was used while the last one was written
  self->running_ = false;
  self->stopped_.signal();
}

Task<void> UsageWriter::stop(UsageWriter* self) {
  self->stopping_ = true;
  self->stop_.signal();
  if (self->running_) co_await self->stopped_;
}

}  // namespace carrel::server
