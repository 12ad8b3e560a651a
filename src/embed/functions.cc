#include "embed/functions.h"

#include <fmt/format.h>

#include <algorithm>

namespace carrel::embed {

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

std::shared_ptr<const Function> FunctionTable::find(std::string_view name) const {
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
