#include "server/hook_points.h"

#include <fmt/format.h>

#include <algorithm>

#include "capability/config/config.h"
#include "patterns/hook/callbacks.h"
#include "tenant/path.h"

namespace carrel::server {
namespace {

// The binding's values stand before the module's own, whose names they may take.
void configure(turn::ModuleSetup& setup, const app::Pairs& module, const app::Pairs& own,
               std::size_t operators) {
  if (own.empty()) return;
  app::Pairs all = own;
  for (const auto& pair : module) {
    if (std::ranges::find(own, pair.first, &app::Pairs::value_type::first) == own.end())
      all.push_back(pair);
  }
  setup.environment.insert(setup.environment.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                           operators, setup.environment.size())),
                           own.begin(), own.end());
  for (turn::Mount& mount : setup.mounts) {
    if (mount.path == "/config") mount.node = capability::config::mount({all.begin(), all.end()});
  }
}

hook::Binding module_of(const app::Manifest& manifest,
                        const std::vector<function::Function>& modules,
                        const app::HookBinding& bound, std::size_t operators) {
  const function::Function& module = modules[bound.module];
  hook::Binding binding{.name = bound.name, .program = module.program, .module = module.module};
  configure(binding.module, manifest.modules[bound.module].config, bound.config, operators);
  return binding;
}

// What logs name it by stands where a module's does.
hook::Binding endpoint_of(const TenantName& tenant, const AppName& app, const std::string& name,
                          const app::HookEndpoint& bound) {
  return {.name = name,
          .module = {.tenant = tenant, .app = app, .name = ModuleName(name)},
          .endpoint = std::make_shared<hook::Endpoint>(
              hook::Endpoint{.url = bound.url,
                             .secret = bound.secret,
                             .oauth = bound.oauth,
                             .format = bound.format,
                             .disable_after = bound.disable_after})};
}

}  // namespace

std::shared_ptr<const hook::Binding> customers_binding(const TenantName& customer,
                                                       const std::string& name,
                                                       const hook::BindingRecord& record,
                                                       const hook::Binding* module,
                                                       const hook::App& owner) {
  auto binding = std::make_shared<hook::Binding>();
  std::string full = hook::full_name(record.tenant, customer, name);
  if (module == nullptr) {
    *binding = endpoint_of(customer, record.app, full, *record.endpoint);
  } else {
    binding->program = module->program;
    binding->module = module->module;
    configure(binding->module, module->config, record.config, 0);
    const auto point = owner.points.find(record.point);
    if (point != owner.points.end())
      hook::let_call(*binding, point->second.functions, owner.functions);
  }
  binding->name = std::move(full);
  binding->own_name = name;
  binding->order = record.order;
  binding->percent = record.percent;
  return binding;
}

Result<std::shared_ptr<const hook::App>> hook_points_of(
    const app::Manifest& manifest, const std::vector<function::Function>& modules,
    const TenantName& tenant, const std::vector<std::string>& hosts, std::size_t operators) {
  auto app = std::make_shared<hook::App>();
  app->app = manifest.app;
  app->tenant = tenant;
  app->hosts = hosts;
  app->storage = manifest.storage;
  if (!manifest.callbacks.empty())
    app->functions = hook::callbacks_of(tenant, manifest.app, manifest.callbacks);
  for (std::size_t i = 0; i < modules.size(); ++i) {
    app->modules.push_back({.name = manifest.modules[i].name.str(),
                            .program = modules[i].program,
                            .module = modules[i].module,
                            .config = manifest.modules[i].config});
  }
  for (const app::HookPoint& each : manifest.hooks) {
    hook::Point point{.name = each.name,
                      .kind = each.kind,
                      .combine = each.combine,
                      .deadline = each.deadline,
                      .retry = each.retry ? delivery::Retry{*each.retry} : delivery::usual_retry(),
                      .on_failure = each.on_failure,
                      .default_answer = each.default_answer,
                      .input = each.input,
                      .output = each.output,
                      .html = each.html,
                      .functions = each.functions,
                      .grants = each.grants,
                      .customers = each.customers,
                      .record = each.record,
                      .hidden = each.hidden};
    if (each.on_failure == hook::OnFailure::use_default) {
      const auto problems = hook::Combination(each.combine, "{}").check(each.default_answer);
      if (!problems.empty())
        return fail(Code::invalid_config, fmt::format("the `default` of the hook point \"{}\" {}",
                                                      each.name, problems.front().message));
    }
    for (const app::HookBinding& bound : each.bindings) {
      hook::Binding binding = bound.endpoint
                                  ? endpoint_of(app->tenant, app->app, bound.name, *bound.endpoint)
                                  : module_of(manifest, modules, bound, operators);
      binding.order = bound.order;
      hook::let_call(binding, point.functions, app->functions);
      if (!bound.tenant.empty()) {
        CARREL_TRY(binding.module.tenant,
                   tenant::parse_tenant(app->tenant.str() + "/" + bound.tenant));
      }
      point.bindings.push_back(std::move(binding));
    }
    app->points.emplace(each.name, std::move(point));
  }
  return app;
}

std::vector<TenantName> binding_tenants(const hook::App& app) {
  std::vector<TenantName> tenants;
  for (const auto& [name, point] : app.points) {
    for (const hook::Binding& each : point.bindings) tenants.push_back(each.module.tenant);
  }
  std::ranges::sort(tenants);
  const auto again = std::ranges::unique(tenants);
  tenants.erase(again.begin(), again.end());
  return tenants;
}

}  // namespace carrel::server
