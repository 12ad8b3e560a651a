// An app's hook points, from its manifest and its modules, as shards call them.
#pragma once

#include <memory>
#include <vector>

#include "app/manifest.h"
#include "base/id.h"
#include "patterns/function/site.h"
#include "patterns/hook/binding_record.h"
#include "patterns/hook/point.h"

namespace carrel::server {

// `modules`: the manifest's, in its order, as they run in the app's own tenant, with `operators`
// variables of the operator before their own. Errors: invalid_config for a binding's tenant that
// cannot be.
Result<std::shared_ptr<const hook::App>> hook_points_of(
    const app::Manifest& manifest, const std::vector<function::Function>& modules,
    const TenantName& tenant, const std::vector<std::string>& hosts, std::size_t operators);

// What a customer has bound to a point of `owner`; `module`: of an app of theirs, null for an
// endpoint.
std::shared_ptr<const hook::Binding> customers_binding(const TenantName& customer,
                                                       const std::string& name,
                                                       const hook::BindingRecord& record,
                                                       const hook::Binding* module,
                                                       const hook::App& owner);

// Tenants that bindings run in.
std::vector<TenantName> binding_tenants(const hook::App& app);

}  // namespace carrel::server
