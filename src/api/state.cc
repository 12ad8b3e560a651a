#include "api/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/body.h"
#include "api/watch.h"
#include "base/percent.h"
#include "store/sealer.h"

namespace carrel::api {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr int kMostRuns = 50;

// One request: what it means, and the turn it is.
struct Turn {
  Turn(const turn::Services& services, StatePath path, const AppInfo& app)
      : services(services),
        path(std::move(path)),
        tenant(app.tenant),
        transaction(*services.store, tenant, {.quota = app.storage}) {}

  store::Place place() const {
    using store::Kind;
    const bool secret = path.thing == Thing::secret || path.thing == Thing::secrets;
    return {secret                         ? Kind::secret
            : path.thing == Thing::counter ? Kind::counter
                                           : Kind::value,
            path.store};
  }

  turn::Services services;
  StatePath path;
  TenantName tenant;
  store::Transaction transaction;
};

Task<Result<const store::Record*>> look(Turn* turn, store::Track track) {
  return turn->transaction.read(turn->place(), turn->path.name, track);
}

// Nothing: there is to be none. Returns when that is durable.
Task<Result<void>> change(Turn* turn, std::optional<store::Record> record) {
  for (int run = 1;; ++run) {
    const auto there = co_await look(turn, record ? store::Track::no : store::Track::yes);
    if (!there) co_return std::unexpected(there.error());
    if (!record && *there == nullptr) co_return fail(Code::not_found, "there is none of that name");
    auto& transaction = turn->transaction;
    auto changed = record ? transaction.put(turn->place(), turn->path.name, *record)
                          : transaction.erase(turn->place(), turn->path.name);
    if (!changed) co_return std::unexpected(std::move(changed).error());
    auto version = co_await transaction.commit();
    if (version) co_return co_await turn->services.gate->wait(*version);
    if (version.error().code() != Code::conflict || run == kMostRuns)
      co_return std::unexpected(std::move(version).error());
    co_await transaction.restart();
  }
}

Task<Result<Answer>> get(Turn* turn) {
  const auto record = co_await look(turn, store::Track::yes);
  if (!record) co_return std::unexpected(record.error());
  Answer answer;
  if (turn->path.thing == Thing::counter) {
    const auto count = *record == nullptr ? 0 : store::decode_count((*record)->bytes);
    if (!count) co_return fail(Code::data_corrupt, "a counter's record is damaged");
    answer = json_answer({{"value", *count}});
  } else if (*record == nullptr) {
    co_return fail(Code::not_found, "there is no value of that name");
  } else {
    answer = {head_of(200, "application/octet-stream"), (*record)->bytes};
  }
  const auto durable = co_await turn->services.gate->wait(turn->transaction.seen());
  if (!durable) co_return std::unexpected(durable.error());
  co_return answer;
}

Json describe(const store::NameEntry& entry) {
  Json json = {{"name", entry.name}, {"bytes", entry.size}};
  if (entry.expires != 0) json["expires"] = entry.expires;
  return json;
}

Task<Result<Answer>> list(Turn* turn, ListQuery query) {
  CARREL_CO_TRY(
      const store::NamePage found,
      co_await turn->transaction.read_names(turn->place(), query.prefix, query.after, query.limit));
  Json entries = Json::array();
  for (const auto& entry : found.entries) {
    entries.push_back(turn->path.thing == Thing::secrets ? Json(entry.name) : describe(entry));
  }
  Json json = {{turn->path.thing == Thing::secrets ? "secrets" : "values", std::move(entries)}};
  if (!found.end && !found.entries.empty())
    json["next"] = percent_encode(found.entries.back().name);
  CARREL_CO_TRY_VOID(co_await turn->services.gate->wait(turn->transaction.seen()));
  co_return json_answer(json);
}

Task<Result<Answer>> put(Turn* turn, net::RequestBody* body, std::optional<std::uint64_t> ttl) {
  store::Record record;
  if (turn->path.thing == Thing::secret) {
    CARREL_CO_TRY(const SecretBytes secret, co_await read_secret_body(body, store::kMaxSecret));
    record.bytes = turn->services.sealer->seal(turn->tenant, turn->path.name, secret.view());
  } else {
    CARREL_CO_TRY(record.bytes, co_await read_body(body, store::kMaxValue));
  }
  if (ttl) record.expires = store::milliseconds(system_clock().wall()) + (*ttl * 1000);
  const auto kept = co_await change(turn, std::move(record));
  if (!kept) co_return std::unexpected(kept.error());
  co_return Answer{{.status = 204, .headers = {{"cache-control", "no-store"}}}, ""};
}

Task<Result<Answer>> erase(Turn* turn) {
  const auto gone = co_await change(turn, std::nullopt);
  if (!gone) co_return std::unexpected(gone.error());
  co_return Answer{{.status = 204, .headers = {{"cache-control", "no-store"}}}, ""};
}

bool allows(Thing thing, std::string_view method) {
  std::string_view left = methods_of(thing);
  while (!left.empty()) {
    const auto end = left.find(", ");
    if (left.substr(0, end) == method) return true;
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 2);
  }
  return false;
}

// The answer has been sent, but for a refusal.
Task<Result<Answer>> watch(Turn* turn, std::string prefix, net::Exchange* exchange) {
  if (exchange->request.method != "GET" || turn->path.thing != Thing::values)
    co_return fail(Code::invalid_argument, "the values of a store are watched, with GET");
  CARREL_CO_TRY_VOID(co_await stream_changes(turn->services, turn->tenant, turn->place(),
                                             std::move(prefix), &exchange->reply));
  co_return Answer();
}

Task<Result<Answer>> act(Turn* turn, net::Exchange* exchange) {
  const net::Request& request = exchange->request;
  if (request.method == "DELETE") co_return co_await erase(turn);
  if (request.method == "PUT") {
    auto ttl = read_ttl(turn->path.thing == Thing::secret ? std::string_view() : request.query);
    if (!ttl) co_return std::unexpected(std::move(ttl).error());
    co_return co_await put(turn, &exchange->body, *ttl);
  }
  if (turn->path.thing != Thing::values && turn->path.thing != Thing::secrets)
    co_return co_await get(turn);
  auto query = read_list_query(request.query);
  if (!query) co_return std::unexpected(std::move(query).error());
  if (query->watch) co_return co_await watch(turn, std::move(query->prefix), exchange);
  co_return co_await list(turn, std::move(*query));
}

// What was wrong with the request, besides the title: these messages are the API's own.
Answer explained(const Error& error, std::uint64_t id) {
  const bool own = error.code() == Code::invalid_argument || error.code() == Code::not_found ||
                   error.code() == Code::body_too_large;
  return own ? explained_problem(error, id) : problem(error, id);
}

}  // namespace

Task<Answer> answer_state(turn::Services services, const Node* node, net::Exchange* exchange) {
  auto path = read_state_path(exchange->request.path);
  if (!path) co_return explained(path.error(), exchange->id);
  if (!allows(path->thing, exchange->request.method)) {
    Answer refusal = problem(Error(Code::method_not_allowed), exchange->id);
    refusal.head.headers.emplace_back("allow", methods_of(path->thing));
    co_return refusal;
  }
  const auto info = node->info();
  const auto app = std::ranges::find(info->apps, path->app, &AppInfo::name);
  if (app == info->apps.end())
    co_return explained(Error(Code::not_found, "no app of that name is served"), exchange->id);
  if (services.store == nullptr || services.gate == nullptr || services.sealer == nullptr)
    co_return problem(Error(Code::unavailable), exchange->id);
  Turn turn(services, std::move(*path), *app);
  auto answer = co_await act(&turn, exchange);
  if (!answer) co_return explained(answer.error(), exchange->id);
  co_return std::move(*answer);
}

}  // namespace carrel::api
