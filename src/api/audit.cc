// The audit log, written and read.
#include "api/audit.h"

#include <array>
#include <nlohmann/json.hpp>

#include "api/call.h"
#include "api/query.h"
#include "api/step.h"
#include "tenant/audit.h"
#include "tenant/tenant.h"

namespace carrel::api {
namespace {

using async::Task;
using Json = nlohmann::json;

std::string text_of(const Json& json) {
  return json.is_null() ? "" : json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

struct Read final : AnsweringStep {
  using AnsweringStep::AnsweringStep;
  Task<Result<void>> run(store::Transaction& transaction) override {
    if (call->tenant != tenant::kNode) {
      CARREL_CO_TRY(const auto found, co_await tenant::find(&transaction, call->tenant));
      if (!found) co_return fail(Code::not_found, "there is no tenant of that name");
    }
    CARREL_CO_TRY(const auto page, co_await tenant::read_audit(&transaction, call->tenant,
                                                               query.after, query.limit));
    Json json = {{"entries", page.entries}};
    if (!page.next.empty()) json["next"] = page.next;
    answer = json_answer(json);
    co_return Result<void>();
  }
  PageQuery query;
};

Task<Result<Answer>> read(Call* call) {
  Read step(call);
  CARREL_CO_TRY(step.query, read_page_query(call->request().query));
  if (!step.query.prefix.empty())
    co_return fail(Code::invalid_argument, "the audit log is asked for with after and limit");
  co_return co_await commit_answering(call, tenant::kNode, {}, &step);
}

}  // namespace

Result<void> record(store::Transaction& transaction, const Call& call, const TenantName& tenant,
                    const Changed& changed) {
  tenant::AuditEntry entry = audit_entry(call, tenant, changed.target);
  entry.before = text_of(changed.before);
  entry.after = text_of(changed.after);
  return tenant::record(transaction, entry);
}

tenant::AuditEntry audit_entry(const Call& call, const TenantName& tenant, std::string target) {
  return {.time = call.clock.wall(),
          .tenant = tenant,
          .who = call.principal.id,
          .from = std::string(call.request().remote_address),
          .action = std::string(call.operation.id),
          .target = std::move(target),
          .before = {},
          .after = {},
          .id = call.exchange.id};
}

std::span<const Operation> audit_operations() {
  static constexpr auto kOperations = std::to_array<Operation>({
      {"nodeAudit", "GET", "/v1/audit", read},
      {"audit", "GET", "/v1/tenants/{tenant}/audit", read},
  });
  return kOperations;
}

}  // namespace carrel::api
