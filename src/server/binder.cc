#include "server/binder.h"

#include <fmt/format.h>

#include <algorithm>

#include "server/hook_points.h"

namespace carrel::server {
namespace {

using api::BindingState;
using hook::BindingRecord;

constexpr std::size_t kMostRemoved = 10'000;

struct Made {
  std::shared_ptr<const hook::Binding> binding;  // null: `state` says why
  BindingState state;
};

BindingState off(std::string state, std::string why) { return {std::move(state), std::move(why)}; }

// What the point says to it, as every version that is called has it.
std::optional<BindingState> refusal(const BindingRecord& record, const hook::AppShares* owner,
                                    const hook::Binding* module) {
  if (owner == nullptr)
    return off("no_app", fmt::format("the app {} of {} is not served", record.app.str(),
                                     record.tenant.str()));
  bool found = false;
  for (const auto& share : owner->all) {
    const auto point = share.app->points.find(record.point);
    if (point == share.app->points.end()) continue;
    found = true;
    const auto& [name, made] = *point;
    if (record.endpoint ? !made.customers.endpoints : !made.customers.modules)
      return off("not_allowed", fmt::format("the point takes no {} of customers",
                                            record.endpoint ? "endpoints" : "modules"));
    if (module != nullptr && !turn::within(module->module.grants, made.grants))
      return off("grants", "the module has grants that the point does not give");
  }
  if (found) return {};
  return off("no_point", fmt::format("the app {} has no point {}", record.app.str(), record.point));
}

// `version`: of the customer's app; null: the one that is live.
Made make(const Binder::Key& key, const BindingRecord& record, const hook::App* version,
          const hook::Apps& apps) {
  if (!record.enabled) return {nullptr, off("disabled", "it has been switched off")};
  const hook::Binding* module = nullptr;
  std::shared_ptr<const hook::AppShares> from;
  if (!record.endpoint) {
    if (version == nullptr) from = apps.served(key.first, record.from);
    if (version == nullptr && !from)
      return {nullptr,
              off("no_module", fmt::format("the app {} is not served", record.from.str()))};
    const auto& modules = (version != nullptr ? version : from->all.front().app.get())->modules;
    const auto found = std::ranges::find(modules, record.module, &hook::Binding::name);
    if (found == modules.end())
      return {nullptr, off("no_module", fmt::format("the app {} has no module {}",
                                                    record.from.str(), record.module))};
    module = &*found;
  }
  const auto owner = apps.served(record.tenant, record.app);
  if (auto refused = refusal(record, owner.get(), module)) return {nullptr, std::move(*refused)};
  return {customers_binding(key.first, key.second, record, module, *owner->all.front().app),
          {"live", ""}};
}

int order_of(const std::shared_ptr<const hook::Binding>& binding) { return binding->order; }

template <typename T>
void set_or_remove(NameTable<T>& table, const std::string& name, std::shared_ptr<T> value) {
  if (value->empty()) {
    table.remove(name);
  } else {
    table.set(name, std::move(value));
  }
}

bool same(const BindingState& a, const BindingState& b) {
  return a.state == b.state && a.why == b.why;
}

}  // namespace

void Binder::look(const Key& key, Entry& entry, hook::Apps& apps) {
  const auto shares = entry.record.endpoint ? nullptr : apps.served(key.first, entry.record.from);
  auto from = shares ? shares->all.front().app : nullptr;
  Made made = make(key, entry.record, nullptr, apps);
  const bool unchanged = from == entry.from && same(made.state, entry.state);
  if (unchanged) return;
  entry.from = std::move(from);
  entry.state = std::move(made.state);
  entry.called = std::move(made.binding);
  publish(key, entry.record, apps);
}

// All that the tenant has at the point: what is called, in order, and what is not.
void Binder::publish(const Key& key, const BindingRecord& record, hook::Apps& apps) const {
  auto all = std::make_shared<hook::Bindings>();
  auto resting = std::make_shared<hook::Resting>();
  for (auto at = entries_.lower_bound({key.first, ""});
       at != entries_.end() && at->first.first == key.first; ++at) {
    const BindingRecord& other = at->second.record;
    const bool there =
        other.tenant == record.tenant && other.app == record.app && other.point == record.point;
    if (!there) continue;
    if (!at->second.called) {
      resting->emplace(hook::full_name(other.tenant, key.first, at->first.second),
                       at->second.state.why);
      continue;
    }
    const auto place = std::ranges::upper_bound(*all, other.order, {}, order_of);
    all->insert(place, at->second.called);
  }
  const std::string name = hook::customer_key(record.tenant, record.app, record.point, key.first);
  set_or_remove(apps.customers, name, std::move(all));
  set_or_remove(apps.resting, name, std::move(resting));
}

void Binder::forget(const Key& key, hook::Apps& apps) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  const BindingRecord record = std::move(found->second.record);
  entries_.erase(found);
  for (const std::string& app :
       {hook::app_key(record.tenant, record.app), hook::app_key(key.first, record.from)}) {
    const auto named = by_app_.find(app);
    if (named == by_app_.end()) continue;
    named->second.erase(key);
    if (named->second.empty()) by_app_.erase(named);
  }
  publish(key, record, apps);
}

void Binder::set(const Key& key, std::uint64_t revision, std::optional<BindingRecord> record,
                 hook::Apps& apps) {
  const auto known = entries_.find(key);
  if (known != entries_.end() && known->second.record.revision > revision) return;
  const auto removed = removed_.find(key);
  if (removed != removed_.end() && removed->second > revision) return;
  forget(key, apps);
  if (!record) {
    if (removed_.size() >= kMostRemoved) removed_.clear();
    removed_[key] = revision;
    return;
  }
  by_app_[hook::app_key(record->tenant, record->app)].insert(key);
  if (!record->endpoint) by_app_[hook::app_key(key.first, record->from)].insert(key);
  Entry& entry = entries_[key];
  entry.record = std::move(*record);
  look(key, entry, apps);
}

void Binder::follow(const TenantName& tenant, const AppName& app, hook::Apps& apps) {
  const auto named = by_app_.find(hook::app_key(tenant, app));
  if (named == by_app_.end()) return;
  for (const Key& key : named->second) look(key, entries_.find(key)->second, apps);
}

void Binder::follow_all(hook::Apps& apps) {
  for (auto& [key, entry] : entries_) look(key, entry, apps);
}

Result<api::Understudy> Binder::understudy(const Key& key, BindingRecord record,
                                           const hook::App* version, const hook::Apps& apps) {
  record.enabled = true;
  Made made = make(key, record, version, apps);
  if (!made.binding) {
    const bool refused = made.state.state == "grants" || made.state.state == "not_allowed";
    return fail(refused ? Code::permission_denied : Code::not_found, made.state.why);
  }
  for (const auto& share : apps.served(record.tenant, record.app)->all) {
    const auto point = share.app->points.find(record.point);
    if (point == share.app->points.end()) continue;
    return api::Understudy{
        .app = share.app, .point = &point->second, .binding = std::move(made.binding)};
  }
  return fail(Code::not_found);
}

hook::Privacy Binder::privacy(const BindingRecord& record, const hook::Apps& apps) {
  const auto owner = apps.served(record.tenant, record.app);
  std::optional<hook::Privacy> strictest;
  if (!owner) return {};
  for (const auto& share : owner->all) {
    const auto point = share.app->points.find(record.point);
    if (point == share.app->points.end()) continue;
    auto privacy = hook::privacy_of(point->second);
    strictest = strictest ? hook::stricter(std::move(*strictest), privacy) : std::move(privacy);
  }
  return strictest.value_or(hook::Privacy());
}

BindingState Binder::state_of(const Key& key, const BindingRecord& record, const hook::Apps& apps) {
  return make(key, record, nullptr, apps).state;
}

std::uint64_t Binder::newest(const Key& key) const {
  const auto found = entries_.find(key);
  const auto gone = removed_.find(key);
  return std::max(found == entries_.end() ? 0 : found->second.record.revision,
                  gone == removed_.end() ? 0 : gone->second);
}

BindingState Binder::state(const Key& key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? BindingState{"unknown", ""} : found->second.state;
}

}  // namespace carrel::server
