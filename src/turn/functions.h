// Functions of the application: what it lets modules call, as /app/NAME.
//
// Whoever binds modules says where the functions come from and which of them each module sees; the
// files are capability/application's.
#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/clock.h"

namespace carrel::document {
class Schema;
}

namespace carrel::turn {

struct Turn;

inline constexpr std::size_t kMaxArgument = 1 << 20;  // bytes of an input or an answer

// Immutable and shared; what it calls is called on the turn's shard.
class Function {
 public:
  using Answer =
      std::expected<std::string, std::string>;  // JSON, not checked; or why there is none

  Function() = default;
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;
  virtual ~Function() = default;

  // `input` is JSON that keeps to the schema; it and the turn outlive the task, whose destruction
  // gives the call up.
  virtual async::Task<Answer> call(Turn* turn, const std::string* input) const = 0;

  std::shared_ptr<const document::Schema> schema = nullptr;  // of the input; null: any JSON
  unsigned rate = 1000;                                      // calls a second, of each binding
};

// Where functions come from. Thread-safe.
class FunctionSource {
 public:
  virtual ~FunctionSource() = default;
  virtual std::shared_ptr<const Function> find(std::string_view name) const = 0;  // null: none
  // Whether calls leave the process, and so are part of their turn's record.
  virtual bool outside() const = 0;
};

// Those that one binding's modules see. Owner: their setups. Thread-safe.
class Functions {
 public:
  Functions(std::shared_ptr<const FunctionSource> source, std::vector<std::string> names);

  bool outside() const { return source_->outside(); }
  // Null: there is none, or it is not for this binding.
  std::shared_ptr<const Function> find(std::string_view name) const;
  std::vector<std::string> names() const;  // of those that are there now

  // False: the binding has called it as often as its rate allows, in bursts of a second's worth.
  bool take(std::string_view name, const Function& function) const;

 private:
  struct Bucket {
    double left = 0;
    Instant at{};
  };

  std::shared_ptr<const FunctionSource> source_;
  std::vector<std::string> names_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, Bucket, std::less<>> buckets_;
};

}  // namespace carrel::turn
