#include "patterns/hook/point.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/share.h"
#include "net/authority.h"
#include "tenant/path.h"

namespace carrel::hook {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// The tenant of a customer's binding; nothing: it is no customer's.
std::optional<TenantName> customer_in(const TenantName& above, std::string_view full_name) {
  const auto slash = full_name.rfind('/');
  if (slash == std::string_view::npos) return {};
  return TenantName(fmt::format("{}/{}", above.str(), full_name.substr(0, slash)));
}

}  // namespace

const std::shared_ptr<const App>& AppShares::of(unsigned place) const {
  for (const Share& share : all) {
    if (place < share.percent) return share.app;
    place -= share.percent;
  }
  return all.back().app;
}

bool AppShares::has_any() const {
  return std::ranges::any_of(all, [](const Share& share) { return !share.app->points.empty(); });
}

std::shared_ptr<const App> Apps::find(std::string_view host, unsigned place) const {
  host = net::split_authority(host).host;
  std::shared_ptr<const App> otherwise;
  for (const auto& app : all) {
    if (app->hosts.empty() && !otherwise) otherwise = app;
    if (std::ranges::any_of(
            app->hosts, [host](const std::string& name) { return net::same_name(name, host); })) {
      return app;
    }
  }
  if (const auto* const deployed = hosts.find(lower_case(host))) return (*deployed)->of(place);
  return otherwise;
}

std::shared_ptr<const AppShares> Apps::served(const TenantName& tenant, const AppName& app) const {
  for (const auto& each : all) {
    if (each->app == app && each->tenant == tenant)
      return std::make_shared<const AppShares>(AppShares{.all = {{.app = each}}});
  }
  const auto* const found = live.find(app_key(tenant, app));
  return found == nullptr ? nullptr : *found;
}

bool Apps::is_live(const App& app) const {
  const auto shares = served(app.tenant, app.app);
  return shares && std::ranges::any_of(shares->all, [&](const AppShares::Share& share) {
           return share.app.get() == &app;
         });
}

Bindings Apps::bound(const App& app, std::string_view point, const TenantName& customer) const {
  Bindings all;
  for (TenantName at = customer; at != app.tenant && at != tenant::kNode;
       at = tenant::parent_of(at)) {
    const auto* const found = customers.find(customer_key(app.tenant, app.app, point, at));
    if (found != nullptr) all.insert(all.end(), (*found)->begin(), (*found)->end());
  }
  return all;
}

std::shared_ptr<const Binding> Apps::bound(const TenantName& tenant, const AppName& app,
                                           std::string_view point,
                                           std::string_view full_name) const {
  const auto customer = customer_in(tenant, full_name);
  if (!customer) return nullptr;
  const auto* const found = customers.find(customer_key(tenant, app, point, *customer));
  if (found == nullptr) return nullptr;
  for (const auto& binding : **found) {
    if (binding->name == full_name) return binding;
  }
  return nullptr;
}

void let_call(Binding& binding, const std::vector<std::string>& functions,
              std::shared_ptr<const turn::FunctionSource> source) {
  if (functions.empty() || source == nullptr || binding.endpoint) return;
  binding.module.functions = std::make_shared<turn::Functions>(std::move(source), functions);
}

std::optional<std::string> Apps::why_resting(const TenantName& tenant, const AppName& app,
                                             std::string_view point,
                                             std::string_view full_name) const {
  const auto customer = customer_in(tenant, full_name);
  if (!customer) return {};
  const auto* const found = resting.find(customer_key(tenant, app, point, *customer));
  if (found == nullptr) return {};
  const auto why = (*found)->find(full_name);
  return why == (*found)->end() ? std::nullopt : std::optional(why->second);
}

std::string app_key(const TenantName& tenant, const AppName& app) {
  return tenant.str() + ":" + app.str();
}

std::string customer_key(const TenantName& tenant, const AppName& app, std::string_view point,
                         const TenantName& customer) {
  return fmt::format("{}:{}:{}:{}", tenant.str(), app.str(), point, customer.str());
}

std::vector<const Binding*> chosen(const Point& point, const std::optional<TenantName>& tenant,
                                   const Bindings& customers, std::string_view subject) {
  std::vector<const Binding*> all;
  const auto add = [&](const Binding& binding) {
    if (tenant && !tenant::contains(binding.module.tenant, *tenant)) return;
    // Each binding has shares of its own: who is in one's is not therefore in another's.
    if (binding.percent < 100 &&
        place_among_hundred(fmt::format("{}\n{}", binding.name, subject)) >= binding.percent)
      return;
    all.insert(std::ranges::upper_bound(all, binding.order, {}, &Binding::order), &binding);
  };
  for (const Binding& binding : point.bindings) add(binding);
  for (const auto& binding : customers) add(*binding);
  return all;
}

}  // namespace carrel::hook
