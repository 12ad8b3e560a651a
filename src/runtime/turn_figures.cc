#include "runtime/turn_figures.h"

#include <fmt/format.h>

#include <algorithm>

#include "turn/interceptor.h"

namespace carrel::runtime {
namespace {

std::uint64_t nanos_of(Nanos duration) {
  return static_cast<std::uint64_t>(std::max(duration, Nanos()).count());
}

// What its guest sees of the trace.
void tell(turn::Event& event, const observe::TraceContext& trace) {
  std::erase_if(event.attributes, [](const auto& attribute) {
    return attribute.first == "traceparent" || attribute.first == "tracestate";
  });
  event.attributes.emplace_back("traceparent", trace.traceparent());
  if (!trace.state.empty()) event.attributes.emplace_back("tracestate", trace.state);
}

observe::Span begin_span(observe::Tracer* tracer, turn::Turn& turn) {
  const auto cause = turn.trace;
  if (tracer != nullptr) turn.trace = tracer->below(cause);
  if (turn.trace) tell(turn.event, *turn.trace);
  if (tracer == nullptr) return {};
  observe::Span span =
      tracer->begin(*turn.trace, cause, "turn", observe::SpanRecord::Kind::internal);
  if (!span) return span;
  span.say("carrel.tenant", turn.module.tenant.str());
  span.say("carrel.app", turn.module.app.str());
  span.say("carrel.module", turn.module.name.str());
  span.say("carrel.event", std::string(turn.event.type));
  span.say("carrel.turn", fmt::format("{:016x}", turn.id));
  return span;
}

}  // namespace

TurnMeasure::TurnMeasure(TurnFigures& figures, observe::Tracer* tracer, turn::Turn& turn)
    : figures_(figures),
      turn_(turn),
      began_(std::chrono::steady_clock::now()),
      span_(begin_span(tracer, turn)) {
  if (span_) turn.span = &span_;
}

TurnMeasure::~TurnMeasure() {
  if (!ended_) ended({.error = Error(Code::cancelled)});
}

void TurnMeasure::waited() { figures_.waited.add(std::chrono::steady_clock::now() - began_); }

turn::Outcome TurnMeasure::ended(turn::Outcome outcome) {
  ended_ = true;
  turn_.span = nullptr;
  const Nanos took = std::chrono::steady_clock::now() - began_;
  const bool failed = turn::is_failure(turn_, outcome);
  figures_.outcomes.add(failed ? outcome.error : std::nullopt);
  figures_.durations.add(took);
  AppFigures& app = figures_.apps.of(turn_.module.tenant, turn_.module.app);
  app.turns.add();
  if (failed) app.failed.add();
  app.nanos.add(nanos_of(took));
  const std::uint64_t cpu = nanos_of(outcome.guest.cpu + outcome.earlier_cpu);
  app.cpu_nanos.add(cpu);
  if (span_) {
    span_.say("carrel.cpu_micros", static_cast<std::int64_t>(cpu / 1000));
    if (failed) span_.fail(outcome.error->code());
    span_.end();
  }
  return outcome;
}

}  // namespace carrel::runtime
