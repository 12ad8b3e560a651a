// Where customers' bindings take effect. The server implements it; the API asks it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "app/deployment/stage.h"
#include "async/shard.h"
#include "async/task.h"
#include "base/id.h"
#include "patterns/hook/binding_record.h"
#include "patterns/hook/point.h"
#include "patterns/hook/privacy.h"

namespace carrel::api {

// "live": it is called; else why it is not: "disabled", "no_app" and "no_point" (where it is bound
// to), "no_module", "not_allowed" and "grants" (what the point allows).
struct BindingState {
  std::string state, why;
};

// A module in a binding's place.
struct Understudy {
  std::shared_ptr<const hook::App> app;  // that has the point
  const hook::Point* point = nullptr;
  std::shared_ptr<const hook::Binding> binding;
};

// Owner: the composition root; outlives the API. Thread-safe.
class BindingStage {
 public:
  virtual ~BindingStage() = default;

  // From now on the binding is `record`; nothing: there is none. An older revision than what is in
  // effect changes nothing. Returns, on `shard`, when every call that begins from then on is
  // answered so.
  virtual async::Task<void> bind(async::Shard& shard, TenantName tenant, std::string name,
                                 std::uint64_t revision,
                                 std::optional<hook::BindingRecord> record) = 0;
  // `record` names a module: that of `version`, or, if there is none, of the live version. Errors:
  // not_found and permission_denied, as its state would say.
  virtual Result<Understudy> understudy(const TenantName& tenant, const std::string& name,
                                        const hook::BindingRecord& record,
                                        const deployment::Ready* version) const = 0;
  // The newest revision that it knows of a binding, or knew before it was removed; 0: none.
  virtual std::uint64_t newest(const TenantName& tenant, const std::string& name) const = 0;
  // What those may see of what it was given whose it is, as the point has it now; where several
  // versions are called, what all of them let be seen.
  virtual hook::Privacy privacy(const hook::BindingRecord& record) const = 0;
  virtual BindingState state(const TenantName& tenant, const std::string& name) const = 0;
  // What it would be, were it bound.
  virtual BindingState state_of(const TenantName& tenant, const std::string& name,
                                const hook::BindingRecord& record) const = 0;
};

}  // namespace carrel::api
