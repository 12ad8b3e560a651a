#include "runtime/app_figures.h"

#include <functional>

namespace carrel::runtime {

std::size_t AppTable::Hash::operator()(const Name& name) const {
  const std::hash<std::string_view> hash;
  return hash(name.first) * 31 + hash(name.second);
}

AppFigures& AppTable::of(const TenantName& tenant, const AppName& app) {
  const auto known = places_.find(Name(tenant.str(), app.str()));
  if (known != places_.end()) return *known->second;
  const std::size_t used = used_.load(std::memory_order_relaxed);
  if (used == slots_.size()) return slots_.front().figures;
  const auto has = tenants_.find(tenant.str());
  if (has != tenants_.end() && has->second >= kMostATenant) return slots_.front().figures;
  Slot& slot = slots_[used];
  slot.tenant = tenant.str();
  slot.app = app.str();
  ++tenants_[slot.tenant];
  places_.emplace(Name(slot.tenant, slot.app), &slot.figures);
  used_.store(used + 1, std::memory_order_release);
  return slot.figures;
}

}  // namespace carrel::runtime
