// Where one module's answer goes: bounded, and looked at before its turn is committed.
//
// A turn with grants to write asks here before its commit, so an answer that is refused leaves
// nothing behind. Other turns have nothing to commit; their answer is looked at when it is there.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "document/schema.h"
#include "net/http.h"
#include "patterns/hook/combine.h"
#include "patterns/hook/point.h"
#include "turn/interceptor.h"

namespace carrel::hook {

// Whether an answer is one that the point takes after what `combination` has: no problems.
// `room`: bytes that are left for answers.
std::vector<document::Problem> check_answer(const Point& point, const Combination& combination,
                                            std::string_view answer, std::size_t room);

// Owner: the invocation, for one turn; what it refers to outlives it. Thread: its shard.
class Answer final : public turn::Interceptor, public net::ReplySink {
 public:
  Answer(const Point& point, const Combination& combination, std::size_t room)
      : point_(point), combination_(combination), room_(room) {}

  // The turn has ended without an error: looks at the answer unless that has been done. Errors:
  // hook_answer.
  Result<void> settle();

  // From here on the turn may be kept: it is not to be cancelled.
  bool committing() const { return committing_; }
  const std::vector<document::Problem>& problems() const { return problems_; }
  bool passed() const { return accepted_.empty(); }  // it has no answer
  std::string take() { return std::move(accepted_); }

  async::Task<Result<std::optional<turn::HeldReply>>> before(turn::State& state) override;
  async::Task<Result<void>> after(turn::State& state, const turn::HeldReply& reply) override;

  bool started() const override { return started_; }
  async::Task<Result<void>> send(net::ReplyHead head, std::string_view body) override;
  async::Task<Result<void>> start(net::ReplyHead head,
                                  std::optional<std::uint64_t> length) override;
  async::Task<Result<void>> write(std::string_view bytes) override;
  async::Task<Result<void>> finish() override;
  void abort() override {}

 private:
  Result<void> take_in(std::string_view bytes);
  Result<void> look(std::string text);

  const Point& point_;
  const Combination& combination_;
  std::size_t room_;
  std::string text_;      // as it comes
  std::string accepted_;  // as it counts
  std::vector<document::Problem> problems_;
  bool started_ = false, looked_ = false, committing_ = false;
};

}  // namespace carrel::hook
