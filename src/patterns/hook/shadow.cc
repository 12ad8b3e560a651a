#include "patterns/hook/shadow.h"

#include "document/schema.h"
#include "patterns/hook/event_record.h"
#include "patterns/hook/nowhere.h"
#include "patterns/hook/rehearsal.h"

namespace carrel::hook {
namespace {

using app::PointKind;
using async::Task;
using std::chrono::steady_clock;

constexpr std::size_t kMostDifferences = 20;

Result<void> check(const ShadowCall& call) {
  const Point& point = *call.point;
  const std::size_t most = point.kind == PointKind::event ? kMostEvent : kMaxDocument;
  const auto problems =
      document::problems_in(call.input, {.bytes = most, .depth = kMaxDepth}, point.input.get());
  if (!problems.empty()) return fail(Code::hook_input, document::text_of(problems));
  if (call.endpoint->module.tenant != call.app->tenant &&
      !turn::within(call.module->module.grants, point.grants)) {
    return fail(Code::invalid_argument,
                "the module has grants that the point does not give to other tenants");
  }
  return {};
}

EventMessage message_to(const ShadowCall& call, const std::string& id, WallTime now) {
  if (call.point->kind == PointKind::call)
    return {.headers = {{"content-type", "application/json"}}, .body = call.input};
  return message_of({.id = id,
                     .source = call.app->app.str(),
                     .type = call.point->name,
                     .time = rfc3339(now),
                     .data = call.input},
                    call.endpoint->endpoint->format);
}

// What the point makes of it, if somebody waits for it.
void settle(const ShadowCall& call, Answer& answer, ShadowAnswer& made) {
  if (call.point->kind == PointKind::event || made.error) return;
  auto settled = answer.settle();
  if (!settled) {
    made.error = std::move(settled).error();
  } else {
    made.answer = answer.take();
  }
}

}  // namespace

Task<ShadowAnswer> Shadows::ask_endpoint(const ShadowCall* call) {
  const bool told = call->point->kind == PointKind::event;
  const Combination combination(call->point->combine, call->input);
  Answer answer(*call->point, combination, kMaxAnswers);
  ShadowAnswer made;
  const Instant begin = steady_clock::now();
  const WallTime now = clock_.wall();
  auto id = new_id(told ? "evt" : "call", now);
  if (!id) {
    made.error = std::move(id).error();
    co_return made;
  }
  EventMessage message = message_to(*call, *id, now);
  const turn::ModuleSetup& setup = call->endpoint->module;
  const auto reply = co_await endpoints_.call(
      {.who = {.tenant = setup.tenant, .app = setup.app, .module = setup.name},
       .signer = setup.tenant,
       .endpoint = call->endpoint->endpoint,
       .id = std::move(*id),
       .message = std::move(message),
       .longest = call->point->deadline,
       .most = kMaxDocument});
  made.took = steady_clock::now() - begin;
  if (!reply) {
    made.error = reply.error();
  } else if (!is_success(*reply)) {
    made.error.emplace(Code::egress_bad_response, refusal_text(*reply));
  } else if (!told) {
    if (auto taken = co_await answer.send({}, reply->body); !taken)
      made.error = std::move(taken).error();
  }
  settle(*call, answer, made);
  co_return made;
}

Task<ShadowAnswer> Shadows::ask_module(const ShadowCall* call) {
  const bool told = call->point->kind == PointKind::event;
  const Combination combination(call->point->combine, call->input);
  Answer answer(*call->point, combination, kMaxAnswers);
  Nowhere nowhere;
  Rehearsal rehearsal(told ? nullptr : &answer);
  ShadowAnswer made;
  const Instant begin = steady_clock::now();
  turn::ModuleSetup setup = call->module->module;
  setup.tenant = call->endpoint->module.tenant;
  async::ViewSource body(call->input);
  turn::Event event{.source = call->app->app.str(),
                    .type = told ? std::string_view(call->point->name) : "carrel.hook",
                    .subject = told ? std::string_view() : call->point->name,
                    .time = clock_.wall(),
                    .body = &body};
  event.attributes = {{"binding", call->endpoint->name}};
  if (told) event.attributes.insert(event.attributes.begin(), {"point", call->point->name});
  turn::Turn turn{.id = call->id,
                  .module = setup,
                  .event = event,
                  .reply = told ? static_cast<net::ReplySink&>(nowhere) : answer,
                  .log = guests_,
                  .deadline = begin + call->point->deadline,
                  .interceptor = &rehearsal};
  turn::Outcome outcome = co_await runtime_.run(call->module->program, turn);
  made.took = steady_clock::now() - begin;
  if (!answer.problems().empty()) {
    made.error.emplace(Code::hook_answer, document::text_of(answer.problems()));
  } else if (outcome.error && !rehearsal.ended_well()) {
    made.error = std::move(outcome.error);
  }
  settle(*call, answer, made);
  co_return made;
}

Task<Result<Comparison>> Shadows::compare(ShadowCall call) {
  CARREL_CO_TRY_VOID(check(call));
  Comparison made;
  made.endpoint = co_await ask_endpoint(&call);
  made.module = co_await ask_module(&call);
  if (!made.endpoint.error && !made.module.error)
    made.differences = differences(made.endpoint.answer, made.module.answer, kMostDifferences);
  co_return made;
}

Task<Result<ShadowAnswer>> Shadows::rehearse(ShadowCall call) {
  CARREL_CO_TRY_VOID(check(call));
  co_return co_await ask_module(&call);
}

}  // namespace carrel::hook
