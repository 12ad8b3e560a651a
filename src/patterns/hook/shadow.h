// A shadow: a module is asked beside the endpoint whose place it is to take, and what came of the
// two is compared.
//
// The endpoint is sent what it would be sent otherwise. The module runs in the endpoint's tenant;
// nothing that it changes is kept, but what it calls outside is called. No application waits.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "patterns/hook/answer.h"
#include "patterns/hook/difference.h"
#include "patterns/hook/endpoint.h"
#include "patterns/hook/point.h"
#include "runtime/runtime.h"

namespace carrel::hook {

struct ShadowCall {
  std::shared_ptr<const App> app;
  const Point* point = nullptr;       // one of the app's
  const Binding* endpoint = nullptr;  // at the point: whose place it is
  const Binding* module = nullptr;    // with a program
  std::string input;                  // of an event: its data
  std::uint64_t id = 0;               // names the call in logs
};

struct ShadowAnswer {
  std::string answer;          // JSON; empty: it has none, as of an event nobody has
  std::optional<Error> error;  // also when the point does not take its answer
  Nanos took{};
};

struct Comparison {
  ShadowAnswer endpoint, module;
  std::vector<Difference> differences;  // of the answers, the endpoint's on the left
  bool same() const { return differences.empty() && !endpoint.error && !module.error; }
};

// Owner: the shard's unit. Thread: its shard. Stops: destroying the task cancels it.
class Shadows {
 public:
  Shadows(runtime::Runtime& runtime, turn::GuestLog& guests, Endpoints& endpoints,
          const Clock& clock)
      : runtime_(runtime), guests_(guests), endpoints_(endpoints), clock_(clock) {}

  // Errors: hook_input; invalid_argument when the module has grants that the point does not give
  // to the endpoint's tenant.
  async::Task<Result<Comparison>> compare(ShadowCall call);

  // The module alone, in the place of the binding `endpoint`. Errors: likewise.
  async::Task<Result<ShadowAnswer>> rehearse(ShadowCall call);

 private:
  async::Task<ShadowAnswer> ask_endpoint(const ShadowCall* call);
  async::Task<ShadowAnswer> ask_module(const ShadowCall* call);

  runtime::Runtime& runtime_;
  turn::GuestLog& guests_;
  Endpoints& endpoints_;
  const Clock& clock_;
};

}  // namespace carrel::hook
