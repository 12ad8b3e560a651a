// What a customer's binding was given lately, and what a module makes of it now.
#include "patterns/hook/recordings.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "api/binding_stage.h"
#include "api/call.h"
#include "api/query.h"
#include "api/step.h"
#include "app/deployment/desk.h"
#include "app/units.h"
#include "patterns/hook/event_record.h"
#include "patterns/hook/shadow.h"
#include "tenant/tenant.h"

namespace carrel::api {
namespace {

using async::Task;
using hook::BindingRecord;
using Json = nlohmann::json;

constexpr std::size_t kMostDifferences = 20;

struct Find final : Step {
  Find(const TenantName& t, std::string n) : tenant(t), name(std::move(n)) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY_VOID(co_await tenant::require(&transaction, tenant));
    CARREL_CO_TRY(auto found, co_await hook::find_binding(&transaction, tenant, name));
    if (!found) co_return fail(Code::not_found, "the tenant has no binding of that name");
    record = std::move(*found);
    co_return Result<void>();
  }
  const TenantName& tenant;
  std::string name;
  BindingRecord record;
};

Task<Result<BindingRecord>> find(Call* call, std::string name) {
  if (call->bindings == nullptr) co_return fail(Code::unavailable);
  Find step(call->tenant, std::move(name));
  CARREL_CO_TRY_VOID(co_await commit(call->services, call->tenant, {}, &step));
  co_return std::move(step.record);
}

std::int64_t micros(Nanos time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

Json to_json(const hook::Recording& recording) {
  Json json = {{"number", recording.number},
               {"time", hook::rfc3339(recording.time)},
               {"id", fmt::format("{:016x}", recording.id)},
               {"status", recording.status},
               {"micros", micros(recording.took)}};
  if (!recording.input.empty()) json["input"] = Json::parse(recording.input, nullptr, false);
  if (!recording.answer.empty()) json["answer"] = Json::parse(recording.answer, nullptr, false);
  if (!recording.code.empty()) json["code"] = recording.code;
  if (!recording.text.empty()) json["text"] = recording.text;
  return json;
}

// The point may have become more private since.
std::vector<hook::Recording> seen_of(const Call& call, const std::string& name,
                                     const BindingRecord& record, std::uint64_t after,
                                     std::size_t most) {
  std::vector<hook::Recording> all;
  const hook::Privacy privacy = call.bindings->privacy(record);
  for (const auto& each : call.recordings->last(call.tenant, name, after, most)) {
    if (auto shown = hook::seen(privacy, *each)) all.push_back(std::move(*shown));
  }
  return all;
}

struct ListQuery {
  std::uint64_t after = 0;
  std::size_t limit = hook::Recordings::kMostOfBinding;
};

Result<ListQuery> read_list_query(std::string_view text) {
  ListQuery query;
  CARREL_TRY(const auto pairs, read_query(text));
  for (const auto& [key, value] : pairs) {
    if (key == "after") {
      CARREL_TRY(query.after, read_number(key, value, INT64_MAX));
    } else if (key == "limit") {
      CARREL_TRY(query.limit, read_number(key, value, kMostListed));
    } else {
      return fail(Code::invalid_argument, "recordings are asked for with after and limit");
    }
  }
  return query;
}

Task<Result<Answer>> list(Call* call) {
  CARREL_CO_TRY(const std::string name, call->text("binding"));
  CARREL_CO_TRY(const ListQuery query, read_list_query(call->request().query));
  CARREL_CO_TRY(const BindingRecord record, co_await find(call, name));
  Json all = Json::array();
  for (const auto& each : seen_of(*call, name, record, query.after, query.limit))
    all.push_back(to_json(each));
  co_return json_answer({{"recordings", std::move(all)}});
}

// What is asked for: {"input": 7, "module": {"app", "name", "version"}}.
struct Wanted {
  std::uint64_t input = 0;  // 0: all there are
  std::string app, module;
  std::uint64_t version = 0;  // 0: the one that is live
};

Result<std::uint64_t> number_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end()) return 0;
  if (found->is_number_unsigned() && found->get<std::uint64_t>() > 0)
    return found->get<std::uint64_t>();
  return fail(Code::invalid_argument, fmt::format("`{}` is a number from 1", key));
}

Result<Wanted> read_wanted(const Json& json) {
  const auto wrong = fail(Code::invalid_argument,
                          "a replay is asked for with input (a recording's number) and module "
                          "(app, name, version)");
  Wanted wanted;
  CARREL_TRY(wanted.input, number_in(json, "input"));
  for (const auto& [key, value] : json.items()) {
    if (key != "input" && key != "module") return wrong;
  }
  if (!json.contains("module")) return wanted;
  const Json& module = json["module"];
  if (!module.is_object()) return wrong;
  CARREL_TRY(wanted.version, number_in(module, "version"));
  for (const auto& [key, value] : module.items()) {
    if (key == "version") continue;
    if ((key != "app" && key != "name") || !value.is_string()) return wrong;
    (key == "app" ? wanted.app : wanted.module) = value.get<std::string>();
    if (!app::is_name(value.get<std::string>())) return wrong;
  }
  return wanted;
}

struct FindVersion final : Step {
  FindVersion(AppName a, std::uint64_t n) : app(std::move(a)), number(n) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY_VOID(co_await deployment::require_app(&transaction, app));
    CARREL_CO_TRY(version, co_await deployment::require_version(&transaction, app, number));
    co_return Result<void>();
  }
  AppName app;
  std::uint64_t number;
  deployment::Version version;
};

Task<Result<std::shared_ptr<const deployment::Ready>>> ready_version(Call* call, AppName app,
                                                                     std::uint64_t number) {
  if (call->stage == nullptr) co_return fail(Code::unavailable);
  FindVersion step(app, number);
  CARREL_CO_TRY_VOID(co_await commit(call->services, call->tenant, {}, &step));
  co_return co_await call->stage->prepare(
      call->services.store->shard(), {.tenant = call->tenant, .app = app}, step.version.bundle);
}

Json to_json(const hook::ShadowAnswer& made) {
  Json json = {{"micros", micros(made.took)}};
  json["status"] = made.error ? "failed" : made.answer.empty() ? "passed" : "answered";
  if (made.error) {
    json["code"] = code_name(made.error->code());
    json["text"] = made.error->message();
  } else if (!made.answer.empty()) {
    json["answer"] = Json::parse(made.answer, nullptr, false);
  }
  return json;
}

Json compare(const hook::Recording& then, const hook::ShadowAnswer& now) {
  Json differences = Json::array();
  const bool both = !then.failed() && !now.error;
  if (both) {
    for (const auto& each : hook::differences(then.answer, now.answer, kMostDifferences)) {
      Json json = {{"at", each.at}};
      if (!each.left.empty()) json["recorded"] = each.left;
      if (!each.right.empty()) json["replayed"] = each.right;
      differences.push_back(std::move(json));
    }
  }
  const bool same = both ? differences.empty() : then.failed() == now.error.has_value();
  return {{"number", then.number},
          {"same", same},
          {"recorded", to_json(then)},
          {"replayed", to_json(now)},
          {"differences", std::move(differences)}};
}

Task<Result<Answer>> replay(Call* call) {
  if (!call->principal.may(tenant::Verb::logs, call->tenant))
    co_return fail(Code::permission_denied, "the verb \"logs\" is needed as well");
  CARREL_CO_TRY(const std::string name, call->text("binding"));
  CARREL_CO_TRY(const Body body, co_await read_object(call));
  CARREL_CO_TRY(const Wanted wanted, read_wanted(body.json));
  CARREL_CO_TRY(BindingRecord record, co_await find(call, name));
  if (!wanted.app.empty() || !wanted.module.empty()) {
    if (wanted.app.empty() || wanted.module.empty())
      co_return fail(Code::invalid_argument, "a module is named by app and name");
    record.endpoint.reset();
    record.from = AppName(wanted.app);
    record.module = wanted.module;
  }
  if (record.endpoint)
    co_return fail(Code::invalid_argument, "nothing is replayed to an endpoint: name a module");
  std::shared_ptr<const deployment::Ready> ready;
  if (wanted.version != 0) {
    CARREL_CO_TRY(ready, co_await ready_version(call, record.from, wanted.version));
  }
  CARREL_CO_TRY(const Understudy understudy,
                call->bindings->understudy(call->tenant, name, record, ready.get()));
  Json replays = Json::array();
  for (const hook::Recording& each :
       seen_of(*call, name, record, 0, hook::Recordings::kMostOfBinding)) {
    if (each.input.empty() || (wanted.input != 0 && each.number != wanted.input)) continue;
    const auto made = co_await call->shadows->rehearse({.app = understudy.app,
                                                        .point = understudy.point,
                                                        .endpoint = understudy.binding.get(),
                                                        .module = understudy.binding.get(),
                                                        .input = each.input,
                                                        .id = call->exchange.id});
    // What was hidden of it may be what the point wants.
    hook::ShadowAnswer answer = made ? *made : hook::ShadowAnswer{};
    if (!made) answer.error = made.error();
    replays.push_back(compare(each, answer));
  }
  if (wanted.input != 0 && replays.empty())
    co_return fail(Code::not_found, "there is no recording of that number with an input");
  co_return json_answer({{"replays", std::move(replays)}});
}

}  // namespace

std::span<const Operation> recording_operations() {
  static constexpr auto kOperations = std::to_array<Operation>({
      {"recordings", "GET", "/v1/tenants/{tenant}/bindings/{binding}/recordings", list},
      {"replay", "POST", "/v1/tenants/{tenant}/bindings/{binding}:replay", replay},
  });
  return kOperations;
}

}  // namespace carrel::api
