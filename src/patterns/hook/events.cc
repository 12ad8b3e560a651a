#include "patterns/hook/events.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "delivery/ring.h"
#include "patterns/hook/endpoint_state.h"
#include "patterns/hook/event_record.h"
#include "patterns/hook/nowhere.h"
#include "store/record.h"
#include "turn/interceptor.h"
#include "turn/trace.h"

namespace carrel::hook {
namespace {

// As CloudEvents' extension for distributed tracing has it.
turn::Trace trace_in(const CloudEvent& event) {
  std::string_view parent, state;
  for (const auto& [name, value] : event.extensions) {
    if (name == "traceparent") parent = value;
    if (name == "tracestate") state = value;
  }
  return observe::parse_trace(parent, state);
}

using async::Task;
using delivery::Item;
using delivery::Verdict;
using How = Verdict::How;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kBusy{1};  // the node has no room, or its store takes nothing
constexpr std::chrono::minutes kNotServed{1};
constexpr std::chrono::seconds kResting{10};
constexpr std::chrono::hours kRestsFor{72};  // as long as the usual retries take

std::string cause_of(const Error& error) {
  return error.message().empty() ? std::string(code_name(error.code()))
                                 : fmt::format("{}: {}", code_name(error.code()), error.message());
}

// A turn that failed. What is the node's own trouble does not count as an attempt.
Verdict verdict_of(const Error& error) {
  switch (error.code()) {
    case Code::overloaded:
    case Code::too_many_requests:
    case Code::shutting_down:
    case Code::unavailable:
    case Code::store_full:
    case Code::store_failed:
      return {.how = How::not_now, .after = kBusy};
    default:
      return {.how = How::failed, .cause = cause_of(error)};
  }
}

// The delivery is over in the commit of its turn.
class Acknowledgement final : public turn::Interceptor {
 public:
  explicit Acknowledgement(const delivery::Name& name) : name_(delivery::record_name(name)) {}
  bool committed() const { return asked_; }

  Task<Result<std::optional<turn::HeldReply>>> before(turn::State& state) override {
    CARREL_CO_TRY(const store::Record* const found,
                  co_await state.transaction.read(delivery::kOpen, name_));
    if (found == nullptr) co_return std::optional(turn::HeldReply());  // somebody took it away
    co_return std::optional<turn::HeldReply>();
  }
  Task<Result<void>> after(turn::State& state, const turn::HeldReply&) override {
    asked_ = true;
    co_return state.transaction.erase(delivery::kOpen, name_);
  }

 private:
  std::string name_;
  bool asked_ = false;
};

// What names a turn in logs: the event's id, and the attempt.
std::uint64_t turn_id(const Item& item) {
  std::uint64_t id = 0;
  const std::string& text = item.name.id;
  const auto from = text.size() - std::min<std::size_t>(text.size(), 16);
  std::from_chars(text.data() + from, text.data() + text.size(), id, 16);
  return id + item.attempts;
}

std::uint64_t in_milliseconds(Nanos time) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

}  // namespace

Events::Whom Events::find(const delivery::Name& name) const {
  Whom whom;
  if (auto lane = parse_lane(name.lane)) whom.lane = std::move(*lane);
  const auto served = apps_->served(whom.lane.tenant, whom.lane.app);
  if (!served) return whom;
  whom.app = served->all.front().app;
  // Of two versions, the one that has the binding.
  for (const AppShares::Share& share : served->all) {
    const auto point = share.app->points.find(whom.lane.point);
    if (point == share.app->points.end() || point->second.kind != app::PointKind::event) continue;
    const auto binding =
        std::ranges::find(point->second.bindings, whom.lane.binding, &Binding::name);
    const bool found = binding != point->second.bindings.end();
    if (!found && whom.point != nullptr) continue;
    whom.app = share.app;
    whom.point = &point->second;
    whom.binding = found ? &*binding : nullptr;
    if (found) break;
  }
  if (whom.binding != nullptr) return whom;
  const auto& [tenant, app, point, binding] = whom.lane;
  if (whom.point != nullptr) whom.customers = apps_->bound(tenant, app, point, binding);
  whom.binding = whom.customers.get();
  if (whom.binding == nullptr) whom.resting = apps_->why_resting(tenant, app, point, binding);
  return whom;
}

delivery::Retry Events::retry(const Item& item) const {
  const Whom whom = find(item.name);
  return whom.point == nullptr ? delivery::usual_retry() : whom.point->retry;
}

// Whether its binding rests, and the event is young enough to wait for it.
bool Events::waits(const Whom& whom, const delivery::Name& name) const {
  const auto made = time_of_id(name.id);
  return whom.resting && made && clock_.wall() - *made < kRestsFor;
}

Nanos Events::wait(const delivery::Name& name) const {
  const Whom whom = find(name);
  if (!whom.app) return kNotServed;
  return waits(whom, name) ? Nanos(kResting) : Nanos();
}

Task<Verdict> Events::attempt(const Item* item) {
  const Whom whom = find(item->name);
  if (!whom.app) co_return Verdict{.how = How::not_now, .after = kNotServed};
  if (waits(whom, item->name)) co_return Verdict{.how = How::not_now, .after = kResting};
  if (whom.binding == nullptr) {
    co_return Verdict{.how = How::hopeless,
                      .cause = whom.resting ? "the binding is not called: " + *whom.resting
                                            : "the binding is gone"};
  }
  auto event = co_await read(whom.lane, item->name.id);
  if (!event) {
    const Code code = event.error().code();
    if (code == Code::not_found || code == Code::data_corrupt)
      co_return Verdict{.how = How::hopeless, .cause = cause_of(event.error())};
    co_return Verdict{.how = How::not_now, .after = kBusy};
  }
  const bool recorded = is_recorded(*whom.point, *whom.binding);
  Recording recording{.id = turn_id(*item), .input = recorded ? event->data : ""};
  const Instant begin = steady_clock::now();
  Verdict verdict = whom.binding->endpoint ? co_await tell_endpoint(&whom, item, std::move(*event))
                                           : co_await run_module(&whom, item, std::move(*event));
  if (recorded && verdict.how != How::not_now) {
    recording.took = steady_clock::now() - begin;
    recording.status = verdict.cause.empty() ? "passed" : "failed";
    recording.text = verdict.cause;
    record(reports_, *whom.point, *whom.binding, std::move(recording));
  }
  co_return verdict;
}

Task<Result<CloudEvent>> Events::read(Lane lane, std::string id) {
  store::Transaction transaction(*services_.store, lane.tenant, {});
  CARREL_CO_TRY(const store::Record* const found,
                co_await transaction.read(events_of(lane.app), id, store::Track::no));
  if (found == nullptr) co_return fail(Code::not_found, "the event is not kept any more");
  co_return decode_event(found->bytes);
}

Task<Verdict> Events::run_module(const Whom* whom, const Item* item, CloudEvent event) {
  const Binding& binding = *whom->binding;
  async::MemorySource body(std::move(event.data));
  turn::Event told{.id = event.id,
                   .source = event.source,
                   .type = event.type,
                   .subject = event.subject,
                   .time = WallTime(std::chrono::milliseconds(item->made)),
                   .body = &body};
  told.attributes = {{"point", whom->point->name},
                     {"binding", binding.name},
                     {"attempt", fmt::format("{}", item->attempts)}};
  const auto trace = trace_in(event);
  for (auto& [name, value] : event.extensions) {
    const bool ours = name == "point" || name == "binding" || name == "attempt";
    if (!ours) told.attributes.emplace_back(name, std::move(value));
  }
  Nowhere nowhere;
  Acknowledgement acknowledgement(item->name);
  turn::Turn turn{.id = turn_id(*item),
                  .module = binding.module,
                  .event = told,
                  .reply = nowhere,
                  .log = guests_,
                  .key = fmt::format("{}-{}", item->name.id, binding.name),
                  .deadline = steady_clock::now() + whom->point->deadline,
                  .interceptor = &acknowledgement,
                  .trace = trace};
  const turn::Outcome outcome = co_await runtime_.run(binding.program, turn);
  if (outcome.error) {
    reports_.failed(binding.module, turn.id, *outcome.error, outcome.guest);
    co_return verdict_of(*outcome.error);
  }
  co_return Verdict{.how = acknowledgement.committed() ? How::acknowledged : How::done};
}

Task<Verdict> Events::tell_endpoint(const Whom* whom, const Item* item, CloudEvent event) {
  const Binding& binding = *whom->binding;
  {
    store::Transaction transaction(*services_.store, whom->lane.tenant, {});
    const auto state = co_await read_endpoint(&transaction, item->name.lane);
    if (!state) co_return Verdict{.how = How::not_now, .after = kBusy};
    if (state->disabled != 0)
      co_return Verdict{.how = How::hopeless, .cause = "the endpoint is disabled: " + state->why};
  }
  const Instant begin = steady_clock::now();
  const auto reply =
      co_await endpoints_.call({.who = {.tenant = binding.module.tenant,
                                        .app = binding.module.app,
                                        .module = binding.module.name},
                                .signer = binding.module.tenant,
                                .endpoint = binding.endpoint,
                                .id = item->name.id,
                                .message = message_of(event, binding.endpoint->format),
                                .longest = whom->point->deadline,
                                .trace = trace_in(event)});
  AttemptNote note{.at = store::milliseconds(clock_.wall()),
                   .id = item->name.id,
                   .attempt = item->attempts,
                   .millis = in_milliseconds(steady_clock::now() - begin)};
  Verdict verdict{.how = How::done};
  if (!reply) {
    verdict = {.how = How::failed, .cause = cause_of(reply.error())};
  } else {
    note.status = reply->status;
    if (!is_success(*reply)) {
      verdict = {.how = reply->status == 410 ? How::hopeless : How::failed,
                 .cause = refusal_text(*reply),
                 .after = reply->retry_after};
    }
  }
  note.cause = verdict.cause;
  verdict.note = encode(note);
  co_return verdict;
}

// What the endpoint did is known of it in the same commit.
Task<Result<void>> Events::settle(store::Transaction* transaction, const Item* item,
                                  const Verdict* verdict) {
  const Whom whom = find(item->name);
  if (verdict->note.empty() || whom.binding == nullptr || !whom.binding->endpoint)
    co_return Result<void>();
  CARREL_CO_TRY(AttemptNote note, decode_note(verdict->note));
  auto read = co_await read_endpoint(transaction, item->name.lane);
  if (!read && read.error().code() != Code::data_corrupt)
    co_return std::unexpected(std::move(read).error());
  EndpointState state = read.value_or(EndpointState());  // what is damaged begins anew
  const bool disabled =
      add_note(state, std::move(note), in_milliseconds(whom.binding->endpoint->disable_after));
  if (disabled) reports_.disabled(*whom.point, *whom.binding, state.why);
  co_return transaction->put(kEndpoints, item->name.lane, {.bytes = encode(state)});
}

void Events::kept(const delivery::Name& name) { ++left_[name.id]; }

// With its last delivery the event goes as well. Should the node end before, `sweep` does it.
void Events::gone(const delivery::Name& name) {
  const auto left = left_.find(name.id);
  if (left == left_.end() || --left->second > 0) return;
  left_.erase(left);
  const auto lane = parse_lane(name.lane);
  if (!lane) return;
  erasing_.remove_if([](const Task<void>& task) { return task.done(); });
  erasing_.push_back(erase(lane->tenant, lane->app, name.id));
  erasing_.back().start();
}

Task<void> Events::erase(TenantName tenant, AppName app, std::string id) {
  (void)co_await erase_event(services_, std::move(tenant), std::move(app), std::move(id));
}

Task<Result<void>> Events::sweep(unsigned index, unsigned count) {
  const auto is_needed = [&](const std::string& id) {
    return delivery::owner_of(id, count) != index || left_.contains(id);
  };
  std::vector<std::pair<TenantName, AppName>> apps;
  apps_->each_live([&](const App& app) { apps.emplace_back(app.tenant, app.app); });
  for (const auto& [tenant, app] : apps)
    CARREL_CO_TRY_VOID(co_await sweep_events(services_, tenant, app, is_needed));
  co_return Result<void>();
}

void Events::died(const Item& item) {
  reports_.died(parse_lane(item.name.lane).value_or(Lane()), item);
}

void Events::dropped(const delivery::Name& name) {
  reports_.died(
      parse_lane(name.lane).value_or(Lane()),
      Item{.name = name, .cause = "dropped: its binding has too many dead letters, newer ones"});
  gone(name);
}

void Events::damaged(const delivery::Name& name) {
  reports_.died(parse_lane(name.lane).value_or(Lane()),
                Item{.name = name, .cause = "its record is damaged"});
}

}  // namespace carrel::hook
