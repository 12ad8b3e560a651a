#include "embed/functions.h"

#include <fmt/format.h>

#include <algorithm>
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

}  // namespace

async::Task<Function::Answer> Function::call(turn::Turn*, const std::string* input) const {
  const CallHere here = *call_here();
  const Instant begin = steady_clock::now();
  FunctionCalls::Underway underway(World::here().function_calls(),
                                   {.depth = here.depth, .context = here.context});
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

FunctionCalls::Underway::Underway(FunctionCalls& calls, const Within& within)
    : calls_(calls), within_(within) {
  const std::lock_guard lock(calls_.mutex_);
  id_ = ++calls_.last_;
  calls_.calls_.push_back(this);
}

FunctionCalls::Underway::~Underway() {
  const std::lock_guard lock(calls_.mutex_);
  std::erase(calls_.calls_, this);
}

bool FunctionCalls::Underway::must_wait(async::Shard& shard) {
  const std::lock_guard lock(calls_.mutex_);
  if (answer_) return false;
  waiting_ = &shard;
  return true;
}

std::optional<FunctionCalls::Answer> FunctionCalls::Underway::take() {
  const std::lock_guard lock(calls_.mutex_);
  return std::move(answer_);
}

// With the lock held.
FunctionCalls::Underway* FunctionCalls::look_up(carrel_function_call id) const {
  const auto found = std::ranges::find(calls_, id, &Underway::id);
  return found != calls_.end() ? *found : nullptr;
}

std::optional<FunctionCalls::Within> FunctionCalls::find(carrel_function_call id) const {
  const std::lock_guard lock(mutex_);
  const Underway* const call = look_up(id);
  return call != nullptr ? std::optional(call->within_) : std::nullopt;
}

bool FunctionCalls::answer(carrel_function_call id, Answer answer) {
  const std::lock_guard lock(mutex_);
  Underway* const call = look_up(id);
  if (call == nullptr || call->answer_) return false;
  call->answer_ = std::move(answer);
  if (call->waiting_ != nullptr) call->waiting_->submit([this, id] { signal(id); });
  return true;
}

// On the thread of who waits, who alone ends the call.
void FunctionCalls::signal(carrel_function_call id) {
  Underway* call = nullptr;
  {
    const std::lock_guard lock(mutex_);
    call = look_up(id);
  }
  if (call != nullptr) call->answered_.signal();
}

}  // namespace carrel::embed
