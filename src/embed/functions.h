// Functions of the application that guests call through /app/NAME.
//
// A guest writes JSON to the file and reads the answer. The application is called on the thread
// that runs the guest, on its own stack, and may answer there or later from any thread; meanwhile
// the guest waits. A point says which functions its modules see.
#pragma once

#include <carrel/carrel.h>

#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "async/event.h"
#include "async/shard.h"
#include "base/clock.h"
#include "document/schema.h"
#include "embed/failure.h"

namespace carrel::embed {

inline constexpr std::size_t kMaxArgument = 1 << 20;  // bytes of an input or an answer

// As carrel_provide was told. Immutable; its release is called when its last owner goes.
struct Function {
  carrel_function call = nullptr;
  void* user = nullptr;
  void (*release)(void*) = nullptr;
  Nanos longest = Nanos::max();
  unsigned rate = 1000;                            // calls a second, of each binding
  std::shared_ptr<const document::Schema> schema;  // null: any JSON

  Function() = default;
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;
  ~Function() {
    if (release != nullptr) release(user);
  }
};

// What an application provides. Owner: the application and its modules' files. Thread-safe.
class FunctionTable {
 public:
  // Errors: invalid_argument, already_exists.
  Outcome<> add(std::string_view name, const std::shared_ptr<const Function>& function);
  std::shared_ptr<const Function> find(std::string_view name) const;  // null: there is none

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Function>, std::less<>> functions_;
};

// The calls that are under way in this process, by the numbers that the application is given.
// Thread-safe.
class FunctionCalls {
 public:
  using Answer = std::expected<std::string, std::string>;  // JSON, not checked; or why not

  // One call. Owner: the guest's file, for as long as somebody waits.
  struct Call {
    unsigned depth = 0;       // of the call of a point that it is part of
    void* context = nullptr;  // of the same; the application's
    std::mutex mutex;
    bool over = false;
    std::optional<Answer> answer;
    async::Shard* waiting = nullptr;  // whom to tell; null: nobody yet
    async::Event answered;            // of that shard
  };

  carrel_function_call begin(std::shared_ptr<Call> call);
  void end(carrel_function_call id);
  std::shared_ptr<Call> find(carrel_function_call id) const;  // null: it is over

  // False: it was over, or answered.
  bool answer(carrel_function_call id, Answer answer);

 private:
  mutable std::mutex mutex_;
  std::unordered_map<carrel_function_call, std::shared_ptr<Call>> calls_;
  carrel_function_call last_ = 0;
};

}  // namespace carrel::embed
