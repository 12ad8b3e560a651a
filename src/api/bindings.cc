// Customers' bindings to hook points of tenants above them: list, show, bind, unbind.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "api/audit.h"
#include "api/binding_leftovers.h"
#include "api/binding_stage.h"
#include "api/call.h"
#include "api/etag.h"
#include "api/query.h"
#include "api/step.h"
#include "app/units.h"
#include "base/percent.h"
#include "patterns/hook/endpoint_state.h"
#include "patterns/hook/recordings.h"
#include "store/record.h"
#include "tenant/tenant.h"

namespace carrel::api {
namespace {

using async::Task;
using hook::BindingRecord;
using Json = nlohmann::json;

std::string etag_of(const BindingRecord& record) { return api::etag_of(encode(record)); }

Json describe(const Call& call, const std::string& name, const BindingRecord& record) {
  Json json = to_json(record);
  json["name"] = name;
  json["tenant"] = call.tenant.str();
  BindingState state = call.bindings->state(call.tenant, name);
  json["state"] = std::move(state.state);
  if (!state.why.empty()) json["why"] = std::move(state.why);
  return json;
}

Answer answer_of(const Call& call, const std::string& name, const BindingRecord& record) {
  Answer answer = json_answer(describe(call, name, record));
  answer.head.headers.emplace_back("etag", etag_of(record));
  return answer;
}

Result<std::string> name_of(const Call& call) {
  if (call.bindings == nullptr) return fail(Code::unavailable, "nothing can be bound here");
  CARREL_TRY(std::string name, call.text("binding"));
  if (app::is_name(name)) return name;
  return fail(Code::invalid_argument, fmt::format("a binding's name is {}", app::kNameRule));
}

struct Show final : Step {
  Show(const TenantName& t, std::string n) : tenant(t), name(std::move(n)) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY_VOID(co_await tenant::require(&transaction, tenant));
    CARREL_CO_TRY(record, co_await hook::find_binding(&transaction, tenant, name));
    if (!record) co_return fail(Code::not_found, "the tenant has no binding of that name");
    co_return Result<void>();
  }
  const TenantName& tenant;
  std::string name;
  std::optional<BindingRecord> record;
};

Task<Result<Answer>> show(Call* call) {
  CARREL_CO_TRY(std::string name, name_of(*call));
  Show step(call->tenant, std::move(name));
  CARREL_CO_TRY_VOID(co_await commit(call->services, call->tenant, {}, &step));
  co_return answer_of(*call, step.name, *step.record);
}

struct List final : Step {
  List(const TenantName& t, PageQuery q) : tenant(t), query(std::move(q)) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    found.clear();
    CARREL_CO_TRY_VOID(co_await tenant::require(&transaction, tenant));
    CARREL_CO_TRY(
        const store::NamePage page,
        co_await transaction.read_names(hook::kBindings, query.prefix, query.after, query.limit));
    for (const auto& entry : page.entries) {
      auto record = co_await hook::find_binding(&transaction, tenant, entry.name);
      // One that is damaged keeps nobody from the others, nor from removing it.
      if (!record && record.error().code() == Code::data_corrupt) continue;
      if (!record) co_return std::unexpected(std::move(record).error());
      if (*record) found.emplace_back(entry.name, std::move(**record));
    }
    next = page.end || page.entries.empty() ? "" : page.entries.back().name;
    co_return Result<void>();
  }
  const TenantName& tenant;
  PageQuery query;
  std::vector<std::pair<std::string, BindingRecord>> found;
  std::string next;
};

Task<Result<Answer>> list(Call* call) {
  if (call->bindings == nullptr) co_return fail(Code::unavailable);
  CARREL_CO_TRY(PageQuery query, read_page_query(call->request().query));
  List step(call->tenant, std::move(query));
  CARREL_CO_TRY_VOID(co_await commit(call->services, call->tenant, {}, &step));
  Json entries = Json::array();
  for (const auto& [name, record] : step.found) entries.push_back(describe(*call, name, record));
  Json json = {{"bindings", std::move(entries)}};
  if (!step.next.empty()) json["next"] = percent_encode(step.next);
  co_return json_answer(json);
}

// The record becomes `wanted`, or goes.
struct Change final : Step {
  Change(const tenant::AuditEntry& e, std::string n) : entry(e), name(std::move(n)) {}

  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY_VOID(co_await tenant::require(&transaction, entry.tenant));
    auto found = co_await hook::find_binding(&transaction, entry.tenant, name);
    const bool damaged = !found && found.error().code() == Code::data_corrupt && !wanted;
    if (!found && !damaged) co_return std::unexpected(std::move(found).error());
    before = found ? std::move(*found) : std::nullopt;
    if (!damaged) CARREL_CO_TRY_VOID(check_match());
    if (!before && !wanted && !damaged)
      co_return fail(Code::not_found, "the tenant has no binding of that name");
    if (!before) CARREL_CO_TRY_VOID(co_await check_room(&transaction));
    revision = std::max({before ? before->revision + 1 : 1, now, newest + 1});
    entry.before = before ? to_json(*before).dump() : "";
    if (before && before->endpoint)  // an endpoint that is bound anew begins anew
      CARREL_CO_TRY_VOID(
          transaction.erase(hook::kEndpoints, hook::lane_of(*before, entry.tenant, name)));
    if (wanted) {
      wanted->revision = revision;
      entry.after = to_json(*wanted).dump();
      CARREL_CO_TRY_VOID(transaction.put(hook::kBindings, name, {.bytes = encode(*wanted)}));
    } else {
      CARREL_CO_TRY_VOID(transaction.erase(hook::kBindings, name));
    }
    co_return tenant::record(transaction, entry);
  }

  Result<void> check_match() const {
    net::Request request;
    if (if_match) request.headers.push_back({"if-match", *if_match});
    if (before) return check_if_match(request, etag_of(*before));
    if (!if_match) return {};
    return fail(Code::precondition_failed, "there is no binding of that name");
  }

  static Task<Result<void>> check_room(store::Transaction* transaction) {
    CARREL_CO_TRY(const store::NamePage page,
                  co_await transaction->read_names(hook::kBindings, "", "", hook::kMostBindings));
    if (page.entries.size() < hook::kMostBindings) co_return Result<void>();
    co_return fail(Code::quota_exceeded,
                   fmt::format("a tenant has {} bindings at most", hook::kMostBindings));
  }

  tenant::AuditEntry entry;
  std::string name;
  std::optional<BindingRecord> wanted, before;
  std::optional<std::string> if_match;
  // `newest`: that is in effect, or was before it was removed; the clock may have been set back.
  std::uint64_t now = 0, newest = 0, revision = 0;
};

// The commit, and the switch that follows it.
class ChangeJob final : public Work::Job {
 public:
  ChangeJob(const Call& call, const std::string& name, std::optional<BindingRecord> wanted)
      : services_(call.services),
        stage_(*call.bindings),
        recordings_(*call.recordings),
        ring_(*call.deliveries),
        change_(audit_entry(call, call.tenant, "bindings/" + name), name) {
    change_.wanted = std::move(wanted);
    change_.now = store::milliseconds(call.clock.wall());
    change_.newest = stage_.newest(call.tenant, change_.name);
    const auto text = call.request().header("if-match");
    if (!text.empty()) change_.if_match = text;
  }

  const Change& change() const { return change_; }

  Task<Result<Answer>> run() override {
    if (change_.wanted) CARREL_CO_TRY_VOID(co_await clear(*change_.wanted));
    CARREL_CO_TRY_VOID(co_await commit(services_, change_.entry.tenant, {}, &change_));
    co_await stage_.bind(services_.store->shard(), change_.entry.tenant, change_.name,
                         change_.revision, change_.wanted);
    if (moved()) recordings_.forget(change_.entry.tenant, change_.name);
    // It is unbound whatever becomes of this: who binds it anew clears what is left.
    if (change_.before && moved()) (void)co_await clear(*change_.before);
    co_return no_content();
  }

 private:
  // What is for it as it was, or was once, is nobody's.
  Task<Result<void>> clear(const BindingRecord& record) const {
    const TenantName& tenant = change_.entry.tenant;
    return clear_leftovers(services_, &ring_, tenant, change_.name,
                           hook::lane_of(record, tenant, change_.name));
  }

  // What was kept is of another point.
  bool moved() const {
    const auto& before = change_.before;
    const auto& wanted = change_.wanted;
    return !wanted || (before && (before->tenant != wanted->tenant || before->app != wanted->app ||
                                  before->point != wanted->point));
  }

  const turn::Services services_;
  BindingStage& stage_;
  hook::Recordings& recordings_;
  delivery::Ring& ring_;
  Change change_;
};

Task<Result<Answer>> change(Call* call, std::string name, std::optional<BindingRecord> wanted) {
  if (call->node.readiness() == Readiness::draining) co_return fail(Code::shutting_down);
  const bool binds = wanted.has_value();
  auto job = std::make_shared<ChangeJob>(*call, name, std::move(wanted));
  CARREL_CO_TRY(Answer done, co_await call->work.see_through(job));
  if (!binds) co_return done;
  co_return answer_of(*call, name, *job->change().wanted);
}

// Who binds what cannot be called is told at once; what is there may go later, and come again.
Task<Result<Answer>> bind(Call* call) {
  CARREL_CO_TRY(std::string name, name_of(*call));
  CARREL_CO_TRY(const Body body, co_await read_object(call));
  CARREL_CO_TRY(BindingRecord wanted, hook::read_binding(body.json, call->tenant));
  const BindingState state = call->bindings->state_of(call->tenant, name, wanted);
  if (state.state == "not_allowed" || state.state == "grants")
    co_return fail(Code::permission_denied, state.why);
  if (state.state != "live" && state.state != "disabled")
    co_return fail(Code::not_found, state.why);
  co_return co_await change(call, std::move(name), std::move(wanted));
}

Task<Result<Answer>> unbind(Call* call) {
  CARREL_CO_TRY(std::string name, name_of(*call));
  co_return co_await change(call, std::move(name), {});
}

}  // namespace

std::span<const Operation> binding_operations() {
  static constexpr auto kOperations = std::to_array<Operation>({
      {"bindings", "GET", "/v1/tenants/{tenant}/bindings", list},
      {"bind", "PUT", "/v1/tenants/{tenant}/bindings/{binding}", bind},
      {"binding", "GET", "/v1/tenants/{tenant}/bindings/{binding}", show},
      {"unbind", "DELETE", "/v1/tenants/{tenant}/bindings/{binding}", unbind},
  });
  return kOperations;
}

}  // namespace carrel::api
