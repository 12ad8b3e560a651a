#include "api/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace carrel::api {
namespace {

using tenant::Verb;

constexpr auto kTable = std::to_array<Access>({
    {"health", Where::open, Verb::read},
    {"readiness", Where::open, Verb::read},
    {"metrics", Where::node, Verb::read},
    {"status", Where::node, Verb::operate},
    {"backup", Where::node, Verb::operate},
    {"description", Where::anywhere, Verb::read},
    {"apps", Where::anywhere, Verb::read},

    {"logs", Where::tenant, Verb::logs},

    {"values", Where::tenant, Verb::data_read},
    {"value", Where::tenant, Verb::data_read},
    {"putValue", Where::tenant, Verb::data_write},
    {"deleteValue", Where::tenant, Verb::data_write},
    {"counter", Where::tenant, Verb::data_read},
    {"blobs", Where::tenant, Verb::data_read},
    {"blob", Where::tenant, Verb::data_read},
    {"putBlob", Where::tenant, Verb::data_write},
    {"deleteBlob", Where::tenant, Verb::data_write},
    {"secrets", Where::tenant, Verb::secrets},
    {"setSecret", Where::tenant, Verb::secrets},
    {"removeSecret", Where::tenant, Verb::secrets},

    {"appsOfTenant", Where::tenant, Verb::read},
    {"app", Where::tenant, Verb::read},
    {"removeApp", Where::tenant, Verb::deploy},
    {"restoreApp", Where::tenant, Verb::deploy},
    {"rollBack", Where::tenant, Verb::deploy},
    {"putPart", Where::tenant, Verb::deploy},
    {"versions", Where::tenant, Verb::read},
    {"version", Where::tenant, Verb::read},
    {"createVersion", Where::tenant, Verb::deploy},
    {"activateVersion", Where::tenant, Verb::deploy},
    {"previewVersion", Where::tenant, Verb::deploy},
    {"endPreview", Where::tenant, Verb::deploy},

    {"nodeHosts", Where::node, Verb::operate},
    {"hosts", Where::tenant, Verb::read},
    {"host", Where::tenant, Verb::read},
    {"claimHost", Where::tenant, Verb::deploy},
    {"giveUpHost", Where::tenant, Verb::deploy},
    {"checkHost", Where::tenant, Verb::deploy},

    {"bindings", Where::tenant, Verb::read},
    {"binding", Where::tenant, Verb::read},
    {"bind", Where::tenant, Verb::deploy},
    {"unbind", Where::tenant, Verb::deploy},
    {"recordings", Where::tenant, Verb::logs},
    {"replay", Where::tenant, Verb::invoke},

    {"tenants", Where::anywhere, Verb::read},
    {"createTenant", Where::body, Verb::tenants},
    {"tenant", Where::tenant, Verb::read},
    {"updateTenant", Where::parent, Verb::tenants},
    {"removeTenant", Where::parent, Verb::tenants},
    {"restoreTenant", Where::parent, Verb::tenants},

    {"nodeTokens", Where::node, Verb::tokens},
    {"createNodeToken", Where::node, Verb::tokens},
    {"revokeNodeToken", Where::node, Verb::tokens},
    {"tokens", Where::tenant, Verb::tokens},
    {"createToken", Where::tenant, Verb::tokens},
    {"revokeToken", Where::tenant, Verb::tokens},

    {"nodeAudit", Where::node, Verb::audit},
    {"audit", Where::tenant, Verb::audit},
    {"usage", Where::tenant, Verb::read},
});

std::unexpected<Error> denied(Verb verb, const TenantName& tenant) {
  const std::string where = tenant == tenant::kNode ? "the node" : "tenant " + tenant.str();
  return fail(Code::permission_denied,
              fmt::format("the verb \"{}\" on {} is needed", tenant::verb_name(verb), where));
}

}  // namespace

const Access* access_of(std::string_view operation) {
  const auto* const found = std::ranges::find(kTable, operation, &Access::operation);
  return found == kTable.end() ? nullptr : found;
}

Result<void> authorise(const Access& access, const tenant::Principal& principal,
                       const std::optional<TenantName>& named) {
  TenantName on = tenant::kNode;
  switch (access.where) {
    case Where::open:
      return {};
    case Where::anywhere:
      on = principal.scope;
      break;
    case Where::node:
      break;
    case Where::tenant:
    case Where::parent:
    case Where::body:
      if (!named) return fail(Code::permission_denied, "the request names no tenant");
      on = access.where == Where::tenant ? *named : tenant::parent_of(*named);
      break;
  }
  if (principal.may(access.verb, on)) return {};
  return denied(access.verb, on);
}

}  // namespace carrel::api
