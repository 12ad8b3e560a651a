// Functions that the application provides in its own process.
//
// It is called on the thread that runs the guest, on that thread's own stack, and may answer there
// or later from any thread; meanwhile the guest waits.
#pragma once

#include <carrel/carrel.h>

#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/event.h"
#include "async/shard.h"
#include "base/clock.h"
#include "document/schema.h"
#include "embed/failure.h"
#include "turn/functions.h"

namespace carrel::embed {

// As carrel_provide was told. Immutable; its release is called when its last owner goes.
class Function final : public turn::Function {
 public:
  ~Function() override {
    if (release != nullptr) release(user);
  }

  carrel_function function = nullptr;
  void* user = nullptr;
  void (*release)(void*) = nullptr;
  Nanos longest = Nanos::max();

  // In a call of the application.
  async::Task<Answer> call(turn::Turn* turn, const std::string* input) const override;

 private:
  std::optional<std::string> run(carrel_function_call id, const std::string& input) const;
};

// What an application provides. Owner: the application and its modules' setups. Thread-safe.
class FunctionTable final : public turn::FunctionSource {
 public:
  // Errors: invalid_argument, already_exists.
  Outcome<> add(std::string_view name, const std::shared_ptr<const Function>& function);
  std::shared_ptr<const turn::Function> find(std::string_view name) const override;
  bool outside() const override { return false; }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Function>, std::less<>> functions_;
};

// The calls that are under way in this process, by the numbers that the application is given.
// Thread-safe.
class FunctionCalls {
 public:
  using Answer = turn::Function::Answer;

  // What a call is part of.
  struct Within {
    unsigned depth = 0;       // of the call of a point
    void* context = nullptr;  // of the same; the application's
  };

  // A call while somebody waits for it. Owner and thread: who waits.
  class Underway {
   public:
    Underway(FunctionCalls& calls, const Within& within);
    ~Underway();
    Underway(const Underway&) = delete;
    Underway& operator=(const Underway&) = delete;

    carrel_function_call id() const { return id_; }
    // False: the answer is there. True: `answered` is signalled once it is, on `shard`.
    bool must_wait(async::Shard& shard);
    async::Event& answered() { return answered_; }
    std::optional<Answer> take();  // nothing: it is not there

   private:
    friend class FunctionCalls;
    FunctionCalls& calls_;
    Within within_;
    carrel_function_call id_ = 0;
    std::optional<Answer> answer_;     // it stays one when it has been taken
    async::Shard* waiting_ = nullptr;  // null: nobody yet
    async::Event answered_;            // of that shard
  };

  std::optional<Within> find(carrel_function_call id) const;  // nothing: it is over

  // False: it was over, or answered.
  bool answer(carrel_function_call id, Answer answer);

 private:
  Underway* look_up(carrel_function_call id) const;
  void signal(carrel_function_call id);

  mutable std::mutex mutex_;
  std::vector<Underway*> calls_;  // a few for each thread that is inside of one
  carrel_function_call last_ = 0;
};

}  // namespace carrel::embed
