#include "server/hook_reports.h"

#include <chrono>

namespace carrel::server {

void HookReports::failed(const turn::ModuleSetup& module, std::uint64_t id, const Error& error,
                         const wasm::Outcome& guest) {
  failures_.failed(module, id, error, guest);
}

void HookReports::parked(const hook::Point& point, const hook::Binding& binding, Nanos how_long) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(how_long).count();
  log_.write(observe::Level::warn, "hook_parked",
             {{"tenant", binding.module.tenant.str()},
              {"app", binding.module.app.str()},
              {"point", point.name},
              {"binding", binding.name},
              {"module", binding.module.name.str()},
              {"seconds", static_cast<std::uint64_t>(seconds)}});
}

void HookReports::disabled(const hook::Point& point, const hook::Binding& binding,
                           std::string_view why) {
  log_.write(observe::Level::warn, "endpoint_disabled",
             {{"tenant", binding.module.tenant.str()},
              {"app", binding.module.app.str()},
              {"point", point.name},
              {"binding", binding.name},
              {"why", why}});
}

void HookReports::died(const hook::Lane& lane, const delivery::Item& item) {
  log_.write(observe::Level::warn, "dead_letter",
             {{"tenant", lane.tenant.str()},
              {"app", lane.app.str()},
              {"point", lane.point},
              {"binding", lane.binding},
              {"id", item.name.id},
              {"attempts", static_cast<std::uint64_t>(item.attempts)},
              {"cause", item.cause}});
}

}  // namespace carrel::server
