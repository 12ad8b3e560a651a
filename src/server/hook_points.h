// An app's hook points, from its manifest and its modules, as shards call them.
#pragma once

#include <memory>
#include <vector>

#include "app/manifest.h"
#include "base/id.h"
#include "patterns/function/site.h"
#include "patterns/hook/point.h"

namespace carrel::server {

// Null: the app has none. `modules`: the manifest's, in its order, as they run in the app's own
// tenant, with `operators` variables of the operator before their own. Errors: invalid_config for a
// binding's tenant that cannot be.
Result<std::shared_ptr<const hook::App>> hook_points_of(
    const app::Manifest& manifest, const std::vector<function::Function>& modules,
    const std::vector<std::string>& hosts, std::size_t operators);

// Tenants that bindings run in.
std::vector<TenantName> binding_tenants(const hook::App& app);

}  // namespace carrel::server
