#include "embed/functions.h"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "app/callbacks.h"
#include "async/first_of.h"
#include "embed/call.h"
#include "embed/world.h"

namespace carrel::embed {
namespace {

using std::chrono::steady_clock;

async::Task<void> wait_for(async::Event* event) { co_await *event; }

// A call of the application while somebody waits for it.
class Underway {
 public:
  Underway(FunctionCalls& calls, const CallHere& here) : calls_(calls) {
    call_->depth = here.depth;
    call_->context = here.context;
    id_ = calls_.begin(call_);
  }
  ~Underway() {
    calls_.end(id_);
    const std::lock_guard lock(call_->mutex);
    call_->over = true;
  }
  Underway(const Underway&) = delete;
  Underway& operator=(const Underway&) = delete;

  carrel_function_call id() const { return id_; }
  async::Event& answered() { return call_->answered; }
  // False: the answer is there.
  bool must_wait(async::Shard& shard) {
    const std::lock_guard lock(call_->mutex);
    if (call_->answer) return false;
    call_->waiting = &shard;
    return true;
  }
  std::optional<FunctionCalls::Answer> take() {
    const std::lock_guard lock(call_->mutex);
    return std::move(call_->answer);
  }

 private:
  FunctionCalls& calls_;
  std::shared_ptr<FunctionCalls::Call> call_ = std::make_shared<FunctionCalls::Call>();
  carrel_function_call id_ = 0;
};

}  // namespace

async::Task<Function::Answer> Function::call(turn::Turn*, const std::string* input) const {
  const CallHere here = *call_here();
  const Instant begin = steady_clock::now();
  Underway underway(World::here().function_calls(), here);
  if (auto thrown = run(underway.id(), *input)) co_return std::unexpected(std::move(*thrown));
  if (underway.must_wait(*here.shard)) {
    if (longest == Nanos::max()) {
      co_await underway.answered();
    } else {
      co_await async::first_of(wait_for(&underway.answered()),
                               here.shard->sleep_until(begin + longest));
    }
  }
  auto answer = underway.take();
  if (!answer) co_return std::unexpected("it did not answer in time");
  co_return std::move(*answer);
}

// What it threw, as an application in C++ may.
std::optional<std::string> Function::run(carrel_function_call id, const std::string& input) const {
  try {
    function(user, id, input.c_str(), input.size());
    return {};
  } catch (const std::exception& thrown) {
    return std::string("it threw: ") + thrown.what();
  } catch (...) {
    return "it threw";
  }
}

Outcome<> FunctionTable::add(std::string_view name,
                             const std::shared_ptr<const Function>& function) {
  if (!app::is_point_name(name))
    return std::unexpected(Error(
        Code::invalid_argument,
        "a name of a function is 1 to 64 of a-z, 0-9, -, _ and ., first and last a letter or a digit"));
  const std::lock_guard lock(mutex_);
  if (!functions_.try_emplace(std::string(name), function).second)
    return std::unexpected(
        Error(Code::already_exists, fmt::format("the function \"{}\" is provided already", name)));
  return {};
}

std::shared_ptr<const turn::Function> FunctionTable::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = functions_.find(name);
  return found != functions_.end() ? found->second : nullptr;
}

carrel_function_call FunctionCalls::begin(std::shared_ptr<Call> call) {
  const std::lock_guard lock(mutex_);
  calls_.emplace(++last_, std::move(call));
  return last_;
}

void FunctionCalls::end(carrel_function_call id) {
  const std::lock_guard lock(mutex_);
  calls_.erase(id);
}

std::shared_ptr<FunctionCalls::Call> FunctionCalls::find(carrel_function_call id) const {
  const std::lock_guard lock(mutex_);
  const auto found = calls_.find(id);
  return found != calls_.end() ? found->second : nullptr;
}

bool FunctionCalls::answer(carrel_function_call id, Answer answer) {
  const auto call = find(id);
  if (!call) return false;
  const std::lock_guard lock(call->mutex);
  if (call->over || call->answer) return false;
  call->answer = std::move(answer);
  if (call->waiting != nullptr) call->waiting->submit([call] { call->answered.signal(); });
  return true;
}

}  // namespace carrel::embed
