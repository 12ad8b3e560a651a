// A turn that is run and not kept: ended right before its commit, when all of it has happened.
#pragma once

#include "patterns/hook/answer.h"
#include "turn/interceptor.h"

namespace carrel::hook {

// Owner: who runs the turn; `answer` outlives it. Thread: its shard.
class Rehearsal final : public turn::Interceptor {
 public:
  explicit Rehearsal(Answer* answer) : answer_(answer) {}  // null: nobody waits for one

  // Then the turn's error is the rehearsal's own.
  bool ended_well() const { return ended_well_; }
  bool gave_up() const override { return ended_well_; }

  async::Task<Result<std::optional<turn::HeldReply>>> before(turn::State& state) override {
    ended_well_ = false;
    if (answer_ != nullptr) co_return co_await answer_->before(state);
    co_return std::optional<turn::HeldReply>();
  }
  async::Task<Result<void>> after(turn::State& state, const turn::HeldReply& reply) override {
    if (answer_ != nullptr) CARREL_CO_TRY_VOID(co_await answer_->after(state, reply));
    ended_well_ = true;
    co_return fail(Code::cancelled, "nothing of it is kept");
  }

 private:
  Answer* const answer_;
  bool ended_well_ = false;
};

}  // namespace carrel::hook
