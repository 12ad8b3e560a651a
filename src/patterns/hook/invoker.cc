#include "patterns/hook/invoker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "async/event.h"
#include "async/first_of.h"
#include "patterns/hook/event_record.h"
#include "patterns/hook/privacy.h"
#include "patterns/hook/rehearsal.h"

namespace carrel::hook {
namespace {

using async::Task;
using std::chrono::steady_clock;

constexpr std::size_t kMostBreakers = 10'000;

// Whether a module is to blame, as far as parking goes.
bool is_its_own_fault(Code code) {
  switch (code) {
    case Code::guest_trapped:
    case Code::guest_exited:
    case Code::guest_bad_reply:
    case Code::guest_timeout:
    case Code::guest_cpu_limit:
    case Code::guest_out_of_memory:
    case Code::hook_answer:
    case Code::effects_limit:
    case Code::unknown_import:
    case Code::invalid_module:
    case Code::compile_failed:
    case Code::egress_failed:
    case Code::egress_address:
    case Code::egress_name:
    case Code::egress_refused:
    case Code::egress_timeout:
    case Code::egress_tls:
    case Code::egress_closed:
    case Code::egress_bad_response:
    case Code::egress_too_large:
      return true;
    default:
      return false;
  }
}

Status status_of(Code code) {
  if (code == Code::hook_answer) return Status::refused;
  if (code == Code::hook_late) return Status::late;
  if (code == Code::hook_parked) return Status::parked;
  return Status::failed;
}

// Ends at the deadline; not if the turn is being committed, which takes as long as it takes.
Task<void> wait_for_deadline(async::Shard* shard, Instant deadline, const Answer* answer) {
  co_await shard->sleep_until(deadline);
  if (!answer->committing()) co_return;
  async::Event never;
  co_await never;
}

}  // namespace

std::string_view status_name(Status status) {
  static constexpr std::array<std::string_view, 6> kNames = {"answered", "passed", "refused",
                                                             "failed",   "late",   "parked"};
  return kNames[static_cast<std::size_t>(status)];
}

bool is_recorded(const Point& point, const Binding& binding) {
  return point.record != app::Record::none && !binding.own_name.empty();
}

void record(Reports& reports, const Point& point, const Binding& binding, Recording recording) {
  auto kept = seen(privacy_of(point), std::move(recording));
  if (!kept) return;
  kept->time = system_clock().wall();
  reports.recorded(binding, std::move(*kept));
}

// One invocation. Lives in its task's frame.
struct Invoker::Flow {
  std::shared_ptr<const App> app;
  const Point& point;
  Call call;
  Instant deadline;
  Combination combination;
  std::size_t room = kMaxAnswers;
  bool any_failed = false;
};

// A binding's breaker while its module runs: who ends without a word has said nothing.
class Invoker::Trial {
 public:
  Trial(Invoker& invoker, const Flow& flow, const Binding& binding)
      : invoker_(invoker), flow_(flow), binding_(binding) {
    Breaker* const breaker = find();
    open_ = breaker == nullptr || breaker->try_enter(steady_clock::now());
  }
  ~Trial() {
    if (!open_ || told_) return;
    if (Breaker* const breaker = find()) breaker->undecided();
  }
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  bool open() const { return open_; }
  void tell(const std::optional<Error>& error, Nanos took) {
    if (!error) {
      told_ = true;
      if (find() != nullptr) invoker_.breakers_.erase(key());
      return;
    }
    // Who is late because others took the time is not to blame.
    const bool slow = error->code() == Code::hook_late && took * 2 >= flow_.point.deadline;
    if (!slow && !is_its_own_fault(error->code())) return;
    told_ = true;
    if (invoker_.breakers_.size() >= kMostBreakers) invoker_.breakers_.clear();
    const Instant now = steady_clock::now();
    Breaker& breaker = invoker_.breakers_[key()];
    if (breaker.failed(now)) invoker_.reports_.parked(flow_.point, binding_, breaker.until() - now);
  }

 private:
  std::string key() const {
    return fmt::format(
        "{} {} {} {} {}", flow_.app->tenant.str(), flow_.app->app.str(), flow_.point.name,
        binding_.name,
        binding_.endpoint ? binding_.endpoint->url.text() : binding_.program->digest);
  }
  // Most have none: a module that has not failed of late.
  Breaker* find() {
    if (invoker_.breakers_.empty()) return nullptr;
    const auto found = invoker_.breakers_.find(key());
    return found == invoker_.breakers_.end() ? nullptr : &found->second;
  }

  Invoker& invoker_;
  const Flow& flow_;
  const Binding& binding_;
  bool open_ = false, told_ = false;
};

Task<std::optional<Error>> Invoker::run_turn(Flow* flow, const Binding* binding, Answer* answer) {
  async::ViewSource body(flow->combination.input());
  turn::Event event{.source = flow->app->app.str(),
                    .type = "carrel.hook",
                    .subject = flow->point.name,
                    .time = system_clock().wall(),
                    .attributes = {{"binding", binding->name}},
                    .body = &body};
  if (flow->call.tenant) event.attributes.emplace_back("tenant", flow->call.tenant->str());
  const bool kept = flow->call.kind == Call::Kind::real;
  Rehearsal rehearsal(answer);
  turn::Turn turn{.id = flow->call.id,
                  .module = binding->module,
                  .event = event,
                  .reply = *answer,
                  .log = guests_,
                  .deadline = flow->deadline,
                  .interceptor = kept ? static_cast<turn::Interceptor*>(answer) : &rehearsal,
                  .trace = flow->call.trace};
  turn::Outcome outcome;
  auto running = runtime_.run(binding->program, turn);
  running.start();  // most end without waiting for anything
  const bool late =
      !running.done() &&
      co_await async::first_of(async::end_of(&running),
                               wait_for_deadline(&runtime_.shard(), flow->deadline, answer)) == 1;
  if (!late) outcome = co_await std::move(running);
  running = {};
  if (late) {
    outcome.error.emplace(Code::hook_late, "stopped at the point's deadline");
  } else if (!outcome.error || rehearsal.ended_well()) {
    outcome.error.reset();
    auto settled = answer->settle();
    if (settled) co_return std::nullopt;
    outcome.error = std::move(settled).error();
  } else if (!answer->problems().empty()) {
    outcome.error.emplace(Code::hook_answer, document::text_of(answer->problems()));
  } else if (outcome.error->code() == Code::guest_timeout &&
             steady_clock::now() >= flow->deadline) {
    outcome.error.emplace(Code::hook_late, "stopped at the point's deadline");
  }
  reports_.failed(binding->module, flow->call.id, *outcome.error, outcome.guest);
  co_return std::move(outcome.error);
}

Task<std::optional<Error>> Invoker::ask_endpoint(Flow* flow, const Binding* binding,
                                                 Answer* answer) {
  const auto ended = [&](Error error) {
    reports_.failed(binding->module, flow->call.id, error, {});
    return std::optional(std::move(error));
  };
  if (endpoints_ == nullptr)
    co_return ended(Error(Code::unavailable, "this process calls no endpoints"));
  auto id = new_id("call", system_clock().wall());
  if (!id) co_return ended(std::move(id).error());
  const turn::ModuleSetup& module = binding->module;
  EndpointCall call{.who = {.tenant = module.tenant, .app = module.app, .module = module.name},
                    .signer = module.tenant,
                    .endpoint = binding->endpoint,
                    .id = std::move(*id),
                    .message = {.headers = {{"content-type", "application/json"}},
                                .body = flow->combination.input()},
                    .longest = flow->deadline - steady_clock::now(),
                    .most = kMaxDocument,
                    .trace = flow->call.trace};
  auto reply = co_await endpoints_->call(std::move(call));
  if (!reply) {
    // The call's clock counts in milliseconds.
    const Instant about_now = steady_clock::now() + std::chrono::milliseconds(5);
    if (reply.error().code() == Code::egress_timeout && about_now >= flow->deadline)
      co_return ended(Error(Code::hook_late, "stopped at the point's deadline"));
    co_return ended(std::move(reply).error());
  }
  if (!is_success(*reply)) co_return ended(Error(Code::egress_bad_response, refusal_text(*reply)));
  if (auto taken = co_await answer->send({}, reply->body); !taken)
    co_return ended(std::move(taken).error());
  if (auto settled = answer->settle(); !settled) co_return ended(std::move(settled).error());
  co_return std::nullopt;
}

Task<Run> Invoker::run(Flow* flow, const Binding* binding) {
  Run run{.binding = binding->name, .tenant = binding->module.tenant};
  const Instant begin = steady_clock::now();
  const bool recorded = is_recorded(flow->point, *binding) && flow->call.kind == Call::Kind::real;
  Recording recording{.id = flow->call.id, .input = recorded ? flow->combination.input() : ""};
  Trial trial(*this, *flow, *binding);
  Answer answer(flow->point, flow->combination, flow->room);
  bool asked = false;
  if (begin >= flow->deadline) {
    run.error.emplace(Code::hook_late, "the others had used up the point's deadline");
  } else if (!trial.open() && flow->call.kind == Call::Kind::real) {
    run.error.emplace(Code::hook_parked, "parked after repeated failures");
  } else {
    asked = true;
    if (binding->endpoint) {
      run.error = co_await ask_endpoint(flow, binding, &answer);
    } else {
      run.error = co_await run_turn(flow, binding, &answer);
    }
    run.took = steady_clock::now() - begin;
    if (flow->call.kind == Call::Kind::real) trial.tell(run.error, run.took);
  }
  if (run.error) {
    run.status = status_of(run.error->code());
    run.problems = answer.problems();
  } else if (!answer.passed()) {
    run.status = Status::answered;
  }
  std::string text = run.status == Status::answered ? answer.take() : std::string();
  if (recorded && asked) {
    recording.status = status_name(run.status);
    recording.answer = text;
    recording.took = run.took;
    if (run.error) {
      recording.code = code_name(run.error->code());
      recording.text = run.error->message();
    }
    record(reports_, flow->point, *binding, std::move(recording));
  }
  if (run.status != Status::answered) co_return run;
  flow->room -= text.size();
  flow->combination.accept(binding->name, std::move(text));
  co_return run;
}

Task<Invocation> Invoker::invoke(std::shared_ptr<const App> app, const Point* point, Call call) {
  Invocation made;
  made.problems = document::problems_in(call.input, {.bytes = kMaxDocument, .depth = kMaxDepth},
                                        point->input.get());
  if (!made.problems.empty()) {
    made.error.emplace(Code::hook_input, document::text_of(made.problems));
    co_return made;
  }
  Combination combination(point->combine, std::move(call.input));
  const Nanos longest = std::min(point->deadline, call.longest);
  Flow flow{.app = std::move(app),
            .point = *point,
            .call = std::move(call),
            .deadline = steady_clock::now() + longest,
            .combination = std::move(combination)};
  if (flow.call.subject.empty()) flow.call.subject = std::to_string(flow.call.id);
  const auto asked = chosen(*point, flow.call.tenant, flow.call.customers, flow.call.subject);
  for (const Binding* const binding : asked) {
    if (flow.combination.decided()) break;
    Run run = co_await this->run(&flow, binding);
    if (run.error) {
      flow.any_failed = true;
      if (point->on_failure == OnFailure::fail) {
        made.error = run.error;
        made.problems = run.problems;
        made.culprit = binding->name;
      } else if (point->on_failure == OnFailure::use_default && point->combine != Combine::first) {
        flow.combination.accept(binding->name, point->default_answer);
      }
    }
    made.runs.push_back(std::move(run));
    if (made.error) co_return made;
  }
  const bool substituted = point->combine == Combine::first && !flow.combination.decided() &&
                           flow.any_failed && point->on_failure == OnFailure::use_default;
  if (substituted) {
    made.output = point->default_answer;
  } else {
    made.output = flow.combination.take_output();
  }
  co_return made;
}

}  // namespace carrel::hook
