// Versions of deployed apps: upload, create, list, show, make live, preview.
#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "api/app_change.h"
#include "api/body.h"
#include "api/new_version.h"
#include "api/step.h"
#include "app/deployment/desk.h"
#include "async/pause.h"
#include "store/part_io.h"
#include "tenant/tenant.h"

namespace carrel::api {
namespace {

using async::Task;
using deployment::AppRecord;
using deployment::Scope;
using deployment::Version;
using Json = nlohmann::json;

struct TenantStep final : Step {
  explicit TenantStep(TenantName n) : name(std::move(n)) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY_VOID(co_await tenant::require(&transaction, name));
    co_return Result<void>();
  }
  TenantName name;
};

// Kept for an hour, or as long as a version uses it.
Task<Result<Answer>> put_part(Call* call) {
  CARREL_CO_TRY(const store::PartHash hash, deployment::read_hash(call->raw("part")));
  TenantStep step(call->tenant);
  CARREL_CO_TRY_VOID(co_await commit(call->services, call->tenant, {}, &step));
  CARREL_CO_TRY(std::string bytes, co_await read_body(&call->exchange.body, store::kPartBytes));
  if (bytes.empty() || store::hash_of_part(bytes) != hash)
    co_return fail(Code::invalid_argument, "the body is not what the part is called");
  CARREL_CO_TRY(const auto kept,
                co_await store::keep_part(call->services.store, call->tenant, std::move(bytes)));
  (void)kept;
  co_return Answer{{.status = 204, .headers = {{"cache-control", "no-store"}}}, ""};
}

struct List final : Step {
  List(Scope s, async::Shard& on) : scope(std::move(s)), shard(on) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    versions = Json::array();
    CARREL_CO_TRY(app, co_await deployment::require_app(&transaction, scope.app));
    CARREL_CO_TRY(const auto numbers,
                  co_await deployment::version_numbers(&transaction, scope.app));
    for (const std::uint64_t number : numbers) {
      CARREL_CO_TRY(const Version version,
                    co_await deployment::require_version(&transaction, scope.app, number));
      versions.push_back(describe(version, app));
      co_await async::pause(shard);  // a version's record may have some thousand files
    }
    co_return Result<void>();
  }
  Scope scope;
  async::Shard& shard;
  AppRecord app;
  Json versions;
};

Task<Result<Answer>> list(Call* call) {
  CARREL_CO_TRY(Scope scope, scope_of(*call));
  List step(std::move(scope), call->services.store->shard());
  CARREL_CO_TRY_VOID(co_await commit(call->services, call->tenant, {}, &step));
  co_return json_answer({{"versions", std::move(step.versions)}});
}

struct Show final : Step {
  Show(Scope s, std::uint64_t n) : scope(std::move(s)), number(n) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(const AppRecord app, co_await deployment::require_app(&transaction, scope.app));
    CARREL_CO_TRY(const Version version,
                  co_await deployment::require_version(&transaction, scope.app, number));
    json = describe(version, app);
    json["files"] = to_json(version.bundle);
    co_return Result<void>();
  }
  Scope scope;
  std::uint64_t number;
  Json json;
};

Task<Result<Answer>> show(Call* call) {
  CARREL_CO_TRY(Scope scope, scope_of(*call));
  CARREL_CO_TRY(const std::uint64_t number, version_of(*call));
  Show step(std::move(scope), number);
  CARREL_CO_TRY_VOID(co_await commit(call->services, call->tenant, {}, &step));
  co_return json_answer(step.json);
}

// {"files": [...], "message": "..."}
Task<Result<Answer>> create(Call* call) {
  constexpr std::size_t kMostMessage = 1024;
  CARREL_CO_TRY(Scope scope, scope_of(*call));
  CARREL_CO_TRY(const Body body, co_await read_object(call, store::kMaxValue));
  const Json& json = body.json;
  const bool message = json.contains("message");
  if (!json.contains("files") || json.size() != (message ? 2U : 1U) ||
      (message && !json["message"].is_string())) {
    co_return fail(Code::invalid_argument, R"(a version is {"files": [...], "message": "..."})");
  }
  NewVersion asked{.scope = std::move(scope), .version = {.by = call->principal.id}};
  if (message) asked.version.message = json["message"].get<std::string>();
  if (asked.version.message.size() > kMostMessage)
    co_return fail(Code::invalid_argument, "a message has at most 1024 bytes");
  CARREL_CO_TRY(asked.version.bundle, deployment::read_bundle(json["files"]));
  asked.version.created = call->clock.wall();
  co_return co_await make_version(call, std::move(asked));
}

// {"percent": 10}, or nothing: 100.
Result<unsigned> read_percent(std::string_view text) {
  if (text.empty()) return 100;
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_object() && json.empty()) return 100;
  if (!json.is_object() || json.size() != 1 || !json.contains("percent") ||
      !json["percent"].is_number_unsigned() || json["percent"].get<std::uint64_t>() > 100) {
    return fail(Code::invalid_argument, R"(the body is empty, or {"percent": 1 to 100})");
  }
  return json["percent"].get<unsigned>();
}

Task<Result<Answer>> activate(Call* call) {
  CARREL_CO_TRY(Scope scope, scope_of(*call));
  CARREL_CO_TRY(const std::uint64_t number, version_of(*call));
  CARREL_CO_TRY(const std::string text, co_await read_body(&call->exchange.body, 4096));
  CARREL_CO_TRY(const unsigned percent, read_percent(text));
  AppChange change{.scope = std::move(scope), .edit = [number, percent](AppRecord& app) {
                     return deployment::activate(app, number, percent);
                   }};
  co_return co_await change_app(call, std::move(change));
}

Task<Result<Answer>> preview(Call* call) {
  CARREL_CO_TRY(Scope scope, scope_of(*call));
  CARREL_CO_TRY(const std::uint64_t number, version_of(*call));
  AppChange change{.scope = std::move(scope), .edit = [number](AppRecord& app) -> Result<void> {
                     deployment::preview(app, number);
                     return {};
                   }};
  co_return co_await change_app(call, std::move(change));
}

Task<Result<Answer>> end_preview(Call* call) {
  CARREL_CO_TRY(Scope scope, scope_of(*call));
  CARREL_CO_TRY(const std::uint64_t number, version_of(*call));
  AppChange change{.scope = std::move(scope), .edit = [number](AppRecord& app) {
                     return deployment::end_preview(app, number);
                   }};
  co_return co_await change_app(call, std::move(change));
}

}  // namespace

std::span<const Operation> version_operations() {
  static constexpr auto kOperations = std::to_array<Operation>({
      {"putPart", "PUT", "/v1/tenants/{tenant}/parts/{part}", put_part},
      {"versions", "GET", "/v1/tenants/{tenant}/apps/{app}/versions", list},
      {"createVersion", "POST", "/v1/tenants/{tenant}/apps/{app}/versions", create},
      {"version", "GET", "/v1/tenants/{tenant}/apps/{app}/versions/{version}", show},
      {"previewVersion", "PUT", "/v1/tenants/{tenant}/apps/{app}/versions/{version}/preview",
       preview},
      {"endPreview", "DELETE", "/v1/tenants/{tenant}/apps/{app}/versions/{version}/preview",
       end_preview},
      {"activateVersion", "POST", "/v1/tenants/{tenant}/apps/{app}/versions/{version}:activate",
       activate},
  });
  return kOperations;
}

}  // namespace carrel::api
