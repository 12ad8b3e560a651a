#include "patterns/hook/emitter.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "document/schema.h"
#include "patterns/hook/event_record.h"
#include "patterns/hook/lane.h"
#include "store/record.h"
#include "turn/step.h"

namespace carrel::hook {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr auto kRemembered = std::chrono::hours(24);
const store::Place kReplies{.kind = store::Kind::reply, .store = ""};

Result<void> check(const Point& point, const std::string& data) {
  const auto problems =
      document::problems_in(data, {.bytes = kMostEvent, .depth = kMaxDepth}, point.input.get());
  if (problems.empty()) return {};
  return fail(Code::hook_input, document::text_of(problems));
}

// All that is written, and the answer to the same event when it comes again.
class Keep final : public turn::Step {
 public:
  Keep(const App& app, const Point& point, const Emission& emission, WallTime now, std::string id)
      : app_(app), emission_(emission), now_(now) {
    emitted.id = std::move(id);
    const std::string_view subject =
        emission.subject.empty() ? std::string_view(emission.event.id) : emission.subject;
    for (const Binding* const binding :
         chosen(point, emission.tenant, emission.customers, subject)) {
      names.push_back({.lane = lane_text({.tenant = app.tenant,
                                          .app = app.app,
                                          .point = point.name,
                                          .binding = binding->name}),
                       .id = emitted.id});
    }
    emitted.deliveries = names.size();
    if (emission.key.empty()) return;
    const std::string whom = emission.tenant ? emission.tenant->str() : "";
    reply_ = sha256_hex(fmt::format("emit\n{}\n{}\n{}", app.app.str(), point.name, emission.key));
    print_ = sha256_hex(fmt::format("{}\n{}\n{}", whom, emission.event.type, emission.event.data));
  }

  Emitted emitted;
  std::vector<delivery::Name> names;

  Task<Result<void>> run(store::Transaction& transaction) override {
    if (!reply_.empty()) {
      CARREL_CO_TRY(const store::Record* const found, co_await transaction.read(kReplies, reply_));
      if (found != nullptr) co_return repeat(found->bytes);
    }
    const std::uint64_t now = store::milliseconds(now_);
    if (!names.empty()) {
      CARREL_CO_TRY_VOID(transaction.put(
          events_of(app_.app), emitted.id,
          {.bytes = encode(emission_.event), .expires = store::milliseconds(now_ + kEventKept)}));
    }
    for (const delivery::Name& name : names)
      CARREL_CO_TRY_VOID(delivery::put_new(transaction, name, {}, now));
    if (reply_.empty()) co_return Result<void>();
    const Json reply = {{"print", print_}, {"id", emitted.id}, {"n", emitted.deliveries}};
    co_return transaction.put(
        kReplies, reply_,
        {.bytes = reply.dump(), .expires = store::milliseconds(now_ + kRemembered)});
  }

 private:
  Result<void> repeat(const std::string& record) {
    const Json reply = Json::parse(record, nullptr, false);
    if (!reply.is_object() || !reply.contains("print") || !reply["print"].is_string() ||
        !reply.contains("id") || !reply["id"].is_string() || !reply.contains("n") ||
        !reply["n"].is_number_unsigned()) {
      return fail(Code::data_corrupt, "a reply kept for its Idempotency-Key is damaged");
    }
    if (reply["print"] != print_)
      return fail(Code::idempotency_mismatch, "the key came with another event before");
    emitted = {.id = reply["id"], .deliveries = reply["n"], .again = true};
    return {};
  }

  const App& app_;
  const Emission& emission_;
  const WallTime now_;
  std::string reply_, print_;
};

}  // namespace

bool Emitter::has_room(const App& app) const {
  return dispatcher_.has_room(lane_text({.tenant = app.tenant, .app = app.app}));
}

Task<Result<Emitted>> Emitter::emit(std::shared_ptr<const App> app, const Point* point,
                                    Emission emission) {
  CARREL_CO_TRY_VOID(check(*point, emission.event.data));
  if (!has_room(*app))
    co_return fail(Code::too_many_requests, "too many events wait to be delivered");
  const WallTime now = clock_.wall();
  CARREL_CO_TRY(std::string id, new_id("evt", now));
  CloudEvent& event = emission.event;
  if (emission.key.empty() && !event.id.empty())
    emission.key = fmt::format("cloudevent\n{}\n{}", event.source, event.id);
  if (event.id.empty()) event.id = id;
  if (event.source.empty()) event.source = app->app.str();
  if (event.type.empty()) event.type = point->name;
  if (event.time.empty()) event.time = rfc3339(now);
  co_return co_await shelter_.run(
      keep(std::move(app), point, std::move(emission), now, std::move(id)));
}

// The commit, and what must follow it.
Task<Result<Emitted>> Emitter::keep(std::shared_ptr<const App> app, const Point* point,
                                    Emission emission, WallTime now, std::string id) {
  Keep keep(*app, *point, emission, now, std::move(id));
  CARREL_CO_TRY_VOID(co_await turn::commit(services_, app->tenant, {.quota = app->storage}, &keep));
  if (keep.emitted.again) co_return std::move(keep.emitted);
  for (delivery::Name& name : keep.names) ring_.add(std::move(name), store::milliseconds(now));
  co_return std::move(keep.emitted);
}

}  // namespace carrel::hook
