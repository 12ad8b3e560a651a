// A point is called: its modules run, one after the other, and their answers become one.
//
// Each module's turn is its own, in its own tenant, and is committed only after its answer was
// accepted; one that fails, is late or whose answer is refused leaves nothing behind. The deadline
// is the point's: a module gets what the others have left of it. A module that keeps failing is
// parked.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "delivery/item.h"
#include "patterns/hook/answer.h"
#include "patterns/hook/breaker.h"
#include "patterns/hook/endpoint.h"
#include "patterns/hook/lane.h"
#include "patterns/hook/point.h"
#include "patterns/hook/recordings.h"
#include "runtime/runtime.h"

namespace carrel::hook {

// What came of one module.
enum class Status : std::uint8_t {
  answered,
  passed,   // it has no answer, and that is fine
  refused,  // its answer is not what the point takes
  failed,
  late,
  parked,  // it was not asked, as it has failed too often lately
};
std::string_view status_name(Status status);

struct Run {
  std::string binding;
  TenantName tenant;
  Status status = Status::passed;
  std::optional<Error> error;
  std::vector<document::Problem> problems;  // of its answer
  Nanos took{};
};

struct Call {
  std::string input;                 // JSON, not checked yet
  std::optional<TenantName> tenant;  // whose modules are asked, with those of tenants above it
  Bindings customers = {};           // of these tenants, besides the point's own
  std::string subject = {};          // the same one is in the same bindings' shares; empty: `id`
  enum class Kind : std::uint8_t {
    real,
    rehearsal,  // nothing that modules change is kept
  } kind = Kind::real;
  std::uint64_t id = 0;          // names the call in logs
  Nanos longest = Nanos::max();  // if its caller waits less than the point's deadline
  std::optional<observe::TraceContext> trace = {};  // its caller's
};

struct Invocation {
  std::string output;  // JSON; if there is no error
  std::optional<Error> error;
  std::vector<document::Problem> problems;  // of the input, or of the answer that made it fail
  std::string culprit;                      // the binding that made it fail; empty: none did
  std::vector<Run> runs;
};

// Hears of modules that failed. Thread: any shard's; must not wait.
class Reports {
 public:
  virtual ~Reports() = default;
  virtual void failed(const turn::ModuleSetup& module, std::uint64_t id, const Error& error,
                      const wasm::Outcome& guest) = 0;
  virtual void parked(const Point& point, const Binding& binding, Nanos how_long) = 0;
  // Of events: an endpoint is not told any more; a delivery is a dead letter.
  virtual void disabled(const Point& point, const Binding& binding, std::string_view why) = 0;
  virtual void died(const Lane& lane, const delivery::Item& item) = 0;
  // What a customer's binding was given, as far as its point lets that be kept.
  virtual void recorded(const Binding& binding, Recording&& recording) = 0;
};

// Whether a point lets a binding's inputs be kept, of runs that fail at least.
bool is_recorded(const Point& point, const Binding& binding);
// Does so, with what is private hidden.
void record(Reports& reports, const Point& point, const Binding& binding, Recording recording);

// Owner: the shard's unit. Thread: its shard. Stops: destroying an invocation's task cancels it.
class Invoker {
 public:
  Invoker(runtime::Runtime& runtime, turn::GuestLog& guests, Reports& reports)
      : runtime_(runtime), guests_(guests), reports_(reports) {}
  Invoker(const Invoker&) = delete;
  Invoker& operator=(const Invoker&) = delete;

  // From now on endpoints can be asked. They outlive it.
  void reach(Endpoints& endpoints) { endpoints_ = &endpoints; }

  // `point` is one of the app's, of kind call.
  async::Task<Invocation> invoke(std::shared_ptr<const App> app, const Point* point, Call call);

 private:
  struct Flow;
  class Trial;
  async::Task<Run> run(Flow* flow, const Binding* binding);
  async::Task<std::optional<Error>> run_turn(Flow* flow, const Binding* binding, Answer* answer);
  async::Task<std::optional<Error>> ask_endpoint(Flow* flow, const Binding* binding,
                                                 Answer* answer);

  runtime::Runtime& runtime_;
  turn::GuestLog& guests_;
  Reports& reports_;
  Endpoints* endpoints_ = nullptr;                     // null: none is asked
  std::unordered_map<std::string, Breaker> breakers_;  // of modules that have failed lately
};

}  // namespace carrel::hook
