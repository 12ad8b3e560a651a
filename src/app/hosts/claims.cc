#include "app/hosts/claims.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "store/key.h"
#include "store/record.h"

namespace carrel::hosts {
namespace {

using async::Task;
using deployment::Scope;
using Json = nlohmann::json;

constexpr auto kUnproven = std::chrono::hours(24 * 30);  // that a claim stays so
const store::Place kClaims{.kind = store::Kind::tenant, .store = "claim"};
const store::Place kProven{.kind = store::Kind::tenant, .store = "proven"};

std::string name_of(const TenantName& tenant, std::string_view host) {
  return fmt::format("{}:{}", tenant.str(), host);
}

std::unexpected<Error> damaged() {
  return fail(Code::data_corrupt, "a host name's record is damaged");
}

// The record is ours, but the disk it comes from may lie.
struct Fields {
  std::string tenant, app;
  WallTime time;
};
Result<Fields> read_fields(std::string_view bytes, const char* time) {
  const Json json = Json::parse(bytes, nullptr, false);
  if (!json.is_object()) return damaged();
  const auto app = json.find("app"), when = json.find(time), tenant = json.find("tenant");
  if (app == json.end() || !app->is_string() || when == json.end() || !when->is_number_unsigned())
    return damaged();
  Fields fields{.tenant = {},
                .app = app->get<std::string>(),
                .time = WallTime(std::chrono::milliseconds(when->get<std::uint64_t>()))};
  if (tenant != json.end() && tenant->is_string()) fields.tenant = tenant->get<std::string>();
  return fields;
}

Result<void> keep_claim(store::Transaction& transaction, const TenantName& tenant,
                        const Claim& claim) {
  const Json json = {{"app", claim.app.str()}, {"created", store::milliseconds(claim.created)}};
  store::Record record{.bytes = json.dump()};
  if (!claim.proven) record.expires = store::milliseconds(claim.created + kUnproven);
  return transaction.put(kClaims, name_of(tenant, claim.host), std::move(record));
}

Result<void> keep_proof(store::Transaction& transaction, const TenantName& tenant,
                        const Claim& claim) {
  const Json json = {{"tenant", tenant.str()},
                     {"app", claim.app.str()},
                     {"since", store::milliseconds(*claim.proven)}};
  return transaction.put(kProven, claim.host, {.bytes = json.dump()});
}

Task<Result<std::optional<Fields>>> find_proof(store::Transaction* transaction, std::string host) {
  CARREL_CO_TRY(const store::Record* const record,
                co_await transaction->read(kProven, std::move(host)));
  if (record == nullptr) co_return std::optional<Fields>();
  CARREL_CO_TRY(Fields fields, read_fields(record->bytes, "since"));
  if (fields.tenant.empty()) co_return damaged();
  co_return std::optional(std::move(fields));
}

std::unexpected<Error> none() {
  return fail(Code::not_found, "the tenant does not claim this host name",
              "claim it first: carrel host add");
}

Task<Result<Claim>> require_claim(store::Transaction* transaction, TenantName tenant,
                                  std::string host) {
  CARREL_CO_TRY(auto claim, co_await find_claim(transaction, std::move(tenant), std::move(host)));
  if (!claim) co_return none();
  co_return std::move(*claim);
}

}  // namespace

Task<MaybeClaim> find_claim(store::Transaction* transaction, TenantName tenant, std::string host) {
  CARREL_CO_TRY(const store::Record* const record,
                co_await transaction->read(kClaims, name_of(tenant, host)));
  if (record == nullptr) co_return std::optional<Claim>();
  CARREL_CO_TRY(Fields fields, read_fields(record->bytes, "created"));
  Claim found{
      .host = host, .app = AppName(std::move(fields.app)), .created = fields.time, .proven = {}};
  CARREL_CO_TRY(const auto proof, co_await find_proof(transaction, std::move(host)));
  if (proof && proof->tenant == tenant.str()) found.proven = proof->time;
  co_return std::optional(std::move(found));
}

Task<Result<ClaimPage>> list_claims(store::Transaction* transaction, TenantName tenant,
                                    std::string after, std::size_t max) {
  const std::string prefix = name_of(tenant, "");
  const std::string from = after.empty() ? "" : prefix + after;
  CARREL_CO_TRY(const store::NamePage page,
                co_await transaction->read_names(kClaims, prefix, from, max));
  ClaimPage listed{.claims = {}, .end = page.end};
  for (const auto& entry : page.entries) {
    CARREL_CO_TRY(auto found,
                  co_await find_claim(transaction, tenant, entry.name.substr(prefix.size())));
    if (found) listed.claims.push_back(std::move(*found));
  }
  co_return listed;
}

Task<Result<Claim>> claim(store::Transaction* transaction, Scope scope, std::string host,
                          WallTime now) {
  CARREL_CO_TRY(auto found, co_await find_claim(transaction, scope.tenant, host));
  if (!found) {
    CARREL_CO_TRY(
        const store::NamePage page,
        co_await transaction->read_names(kClaims, name_of(scope.tenant, ""), "", kMostClaims));
    if (page.entries.size() >= kMostClaims)
      co_return fail(Code::quota_exceeded,
                     fmt::format("a tenant claims at most {} host names", kMostClaims));
    found = Claim{.host = std::move(host), .app = {}, .created = now, .proven = {}};
  }
  found->app = scope.app;
  CARREL_CO_TRY_VOID(keep_claim(*transaction, scope.tenant, *found));
  if (found->proven) CARREL_CO_TRY_VOID(keep_proof(*transaction, scope.tenant, *found));
  co_return std::move(*found);
}

Task<Result<Claim>> note_proof(store::Transaction* transaction, TenantName tenant, std::string host,
                               WallTime now) {
  CARREL_CO_TRY(Claim found, co_await require_claim(transaction, tenant, host));
  if (found.proven) co_return found;
  CARREL_CO_TRY(const auto proof, co_await find_proof(transaction, host));
  if (proof)
    co_return fail(Code::in_use, "the host name is proven, and in use by somebody else here",
                   "they have to give it up first; if it is yours alone, ask the operator");
  found.proven = now;
  CARREL_CO_TRY_VOID(keep_claim(*transaction, tenant, found));
  CARREL_CO_TRY_VOID(keep_proof(*transaction, tenant, found));
  co_return found;
}

Task<Result<Claim>> give_up(store::Transaction* transaction, TenantName tenant, std::string host) {
  CARREL_CO_TRY(Claim found, co_await require_claim(transaction, tenant, host));
  CARREL_CO_TRY_VOID(transaction->erase(kClaims, name_of(tenant, host)));
  if (found.proven) CARREL_CO_TRY_VOID(transaction->erase(kProven, host));
  co_return found;
}

Task<Result<std::vector<std::string>>> give_up_all(store::Transaction* transaction, Scope scope) {
  CARREL_CO_TRY(const ClaimPage page,
                co_await list_claims(transaction, scope.tenant, "", kMostClaims));
  std::vector<std::string> proven;
  for (const Claim& each : page.claims) {
    if (each.app != scope.app) continue;
    if (each.proven) proven.push_back(each.host);
    CARREL_CO_TRY_VOID(co_await give_up(transaction, scope.tenant, each.host));
  }
  co_return proven;
}

Task<Result<std::optional<Scope>>> who_has(store::Transaction* transaction, std::string host) {
  CARREL_CO_TRY(auto proof, co_await find_proof(transaction, std::move(host)));
  if (!proof) co_return std::optional<Scope>();
  co_return std::optional(
      Scope{.tenant = TenantName(std::move(proof->tenant)), .app = AppName(std::move(proof->app))});
}

Result<AllProven> read_proven(const std::shared_ptr<const store::DatabaseView>& view) {
  AllProven all;
  const std::string prefix = store::prefix_of("", kProven.kind, kProven.store);
  store::Cursor at(view, store::end_of(prefix), store::Reach::disk);
  for (auto state = at.seek(prefix); state == store::Cursor::State::valid; state = at.next()) {
    const auto key = store::decode(at.key());
    const auto record = store::view_record(at.value());
    auto fields = record ? read_fields(record->bytes, "since") : Result<Fields>(damaged());
    if (!key || !fields || fields->tenant.empty()) {
      ++all.damaged;
      continue;
    }
    all.hosts.push_back({.host = std::string(key->name),
                         .scope = {.tenant = TenantName(std::move(fields->tenant)),
                                   .app = AppName(std::move(fields->app))},
                         .since = fields->time});
  }
  if (at.state() == store::Cursor::State::failed) return std::unexpected(at.error());
  return all;
}

}  // namespace carrel::hosts
