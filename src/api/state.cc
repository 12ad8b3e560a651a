// What a tenant keeps, for its operator: values, counters, and secrets, which can be set and not
// read.
//
// Each request is a turn of its own: it reads one snapshot, and answers when what it saw and did is
// durable.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/audit.h"
#include "api/body.h"
#include "api/call.h"
#include "api/state_path.h"
#include "api/step.h"
#include "api/watch.h"
#include "base/percent.h"
#include "store/sealer.h"
#include "tenant/tenant.h"

namespace carrel::api {
namespace {

using async::Task;
using Json = nlohmann::json;

store::Place place_of(const StatePath& path) {
  using store::Kind;
  const bool secret = path.thing == Thing::secret || path.thing == Thing::secrets;
  return {secret                         ? Kind::secret
          : path.thing == Thing::counter ? Kind::counter
                                         : Kind::value,
          path.store};
}

// What the path has after the kind of thing.
Result<StatePath> path_of(const Call& call, Thing thing) {
  std::string text(call.raw("store"));
  if (thing == Thing::secret) text = call.raw("name");
  if (thing == Thing::value || thing == Thing::counter) text += fmt::format("/{}", call.raw("key"));
  return read_state_path(thing, text);
}

// What each of these does to the store: what it means, and what came of it.
struct Look : AnsweringStep {
  Look(Call* c, StatePath p) : AnsweringStep(c), path(std::move(p)) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(const auto found, co_await tenant::require(&transaction, call->tenant));
    (void)found;
    co_return co_await act(&transaction);
  }
  virtual Task<Result<void>> act(store::Transaction* transaction) = 0;

  StatePath path;
};

struct Get final : Look {
  using Look::Look;
  Task<Result<void>> act(store::Transaction* transaction) override {
    CARREL_CO_TRY(const store::Record* const record,
                  co_await transaction->read(place_of(path), path.name));
    if (path.thing == Thing::counter) {
      const auto count = record == nullptr ? 0 : store::decode_count(record->bytes);
      if (!count) co_return fail(Code::data_corrupt, "a counter's record is damaged");
      answer = json_answer({{"value", *count}});
      co_return Result<void>();
    }
    if (record == nullptr) co_return fail(Code::not_found, "there is no value of that name");
    answer = {head_of(200, "application/octet-stream"), record->bytes};
    co_return Result<void>();
  }
};

Json describe(const store::NameEntry& entry) {
  Json json = {{"bytes", entry.size}};
  add_name(json, entry.name);
  if (entry.expires != 0) json["expires"] = entry.expires;
  return json;
}

struct List final : Look {
  using Look::Look;
  Task<Result<void>> act(store::Transaction* transaction) override {
    CARREL_CO_TRY(
        const store::NamePage found,
        co_await transaction->read_names(place_of(path), query.prefix, query.after, query.limit));
    const bool secrets = path.thing == Thing::secrets;
    Json entries = Json::array();
    for (const auto& entry : found.entries)
      entries.push_back(secrets ? Json(entry.name) : describe(entry));
    Json json = {{secrets ? "secrets" : "values", std::move(entries)}};
    if (!found.end && !found.entries.empty())
      json["next"] = percent_encode(found.entries.back().name);
    answer = json_answer(json);
    co_return Result<void>();
  }
  ListQuery query;
};

// Nothing: there is to be none.
struct Change final : Look {
  using Look::Look;
  Task<Result<void>> act(store::Transaction* transaction) override {
    const auto place = place_of(path);
    CARREL_CO_TRY(const store::Record* const there,
                  co_await transaction->read(place, path.name,
                                             record ? store::Track::no : store::Track::yes));
    if (!record && there == nullptr) co_return fail(Code::not_found, "there is none of that name");
    CARREL_CO_TRY_VOID(record_change(*transaction, there));
    answer = no_content();
    if (record) co_return transaction->put(place, path.name, *record);
    co_return transaction->erase(place, path.name);
  }
  Result<void> record_change(store::Transaction& transaction, const store::Record* before) const {
    const bool secret = path.thing == Thing::secret;
    const std::string target =
        secret ? "secrets/" + path.name : fmt::format("kv/{}/{}", path.store, path.name);
    return api::record(transaction, *call, call->tenant,
                       {target, seen(before), seen(record ? &*record : nullptr)});
  }
  // How large a value is; of a secret, that there is one.
  Json seen(const store::Record* of) const {
    if (of == nullptr) return {};
    return path.thing == Thing::secret ? Json{{"set", true}} : Json{{"bytes", of->bytes.size()}};
  }
  std::optional<store::Record> record;
};

Task<Result<Answer>> finish(Call* call, Look* step) {
  return commit_answering(call, call->tenant, {.quota = call->storage()}, step);
}

template <Thing thing>
Task<Result<Answer>> get(Call* call) {
  CARREL_CO_TRY(StatePath path, path_of(*call, thing));
  Get step(call, std::move(path));
  co_return co_await finish(call, &step);
}

template <Thing thing>
Task<Result<Answer>> list(Call* call) {
  CARREL_CO_TRY(StatePath path, path_of(*call, thing));
  CARREL_CO_TRY(ListQuery query, read_list_query(call->request().query));
  List step(call, std::move(path));
  step.query = std::move(query);
  if (!step.query.watch) co_return co_await finish(call, &step);
  if (call->request().method != "GET" || thing != Thing::values)
    co_return fail(Code::invalid_argument, "the values of a store are watched, with GET");
  step.query.limit = 1;
  CARREL_CO_TRY_VOID(co_await finish(call, &step));  // whether there is such a tenant
  CARREL_CO_TRY(auto watch, call->services.store->watch(call->tenant, place_of(step.path),
                                                        std::move(step.query.prefix)));
  Changes changes(std::move(watch), *call->services.gate, [call] { return call->still_allowed(); });
  co_await stream_events(&call->services.store->shard(), &changes, "watching",
                         &call->exchange.reply);
  co_return Answer();
}

Task<Result<Answer>> put_value(Call* call) {
  CARREL_CO_TRY(StatePath path, path_of(*call, Thing::value));
  CARREL_CO_TRY(const auto ttl, read_ttl(call->request().query));
  Change step(call, std::move(path));
  CARREL_CO_TRY(std::string bytes, co_await read_body(&call->exchange.body, store::kMaxValue));
  step.record = {.bytes = std::move(bytes)};
  if (ttl) step.record->expires = store::milliseconds(call->clock.wall()) + (*ttl * 1000);
  co_return co_await finish(call, &step);
}

Task<Result<Answer>> set_secret(Call* call) {
  CARREL_CO_TRY(StatePath path, path_of(*call, Thing::secret));
  Change step(call, std::move(path));
  CARREL_CO_TRY(const SecretBytes secret,
                co_await read_secret_body(&call->exchange.body, store::kMaxSecret));
  step.record = {.bytes = call->services.sealer->seal(call->tenant, step.path.name, secret.view())};
  co_return co_await finish(call, &step);
}

template <Thing thing>
Task<Result<Answer>> erase(Call* call) {
  CARREL_CO_TRY(StatePath path, path_of(*call, thing));
  Change step(call, std::move(path));
  co_return co_await finish(call, &step);
}

}  // namespace

std::span<const Operation> state_operations() {
  static constexpr auto kOperations = std::to_array<Operation>({
      {"values", "GET", "/v1/tenants/{tenant}/kv/{store}", list<Thing::values>},
      {"putValue", "PUT", "/v1/tenants/{tenant}/kv/{store}/{key...}", put_value},
      {"value", "GET", "/v1/tenants/{tenant}/kv/{store}/{key...}", get<Thing::value>},
      {"deleteValue", "DELETE", "/v1/tenants/{tenant}/kv/{store}/{key...}", erase<Thing::value>},
      {"counter", "GET", "/v1/tenants/{tenant}/counters/{store}/{key...}", get<Thing::counter>},
      {"secrets", "GET", "/v1/tenants/{tenant}/secrets", list<Thing::secrets>},
      {"setSecret", "PUT", "/v1/tenants/{tenant}/secrets/{name}", set_secret},
      {"removeSecret", "DELETE", "/v1/tenants/{tenant}/secrets/{name}", erase<Thing::secret>},
  });
  return kOperations;
}

}  // namespace carrel::api
