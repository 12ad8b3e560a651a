// Who fetches modules from registries: a few at a time, so that registries which take their time
// hold up those who named them, and nobody else's memory.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "app/module_source.h"
#include "base/result.h"
#include "base/tenant_root.h"

namespace carrel::api {

// Owner: the API. Thread: its shard.
class Fetches {
 public:
  static constexpr unsigned kMost = 8, kMostOfOne = 2;  // of a tenant with all below it

  // A place among those who fetch.
  class [[nodiscard]] Turn {
   public:
    Turn(Fetches& fetches, std::string root) : fetches_(fetches), root_(std::move(root)) {
      ++fetches_.count_;
      ++fetches_.of_[root_];
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
      --fetches_.count_;
      if (--fetches_.of_[root_] == 0) fetches_.of_.erase(root_);
    }

   private:
    Fetches& fetches_;
    std::string root_;
  };

  // Errors: too_many_requests, unavailable.
  Result<std::unique_ptr<Turn>> begin(const TenantName& tenant) {
    std::string root(root_of(tenant.str()));
    const auto own = of_.find(root);
    if (own != of_.end() && own->second >= kMostOfOne)
      return fail(Code::too_many_requests, "other versions of this tenant are fetching modules");
    if (count_ >= kMost) return fail(Code::unavailable, "too many versions are fetching modules");
    return std::make_unique<Turn>(*this, std::move(root));
  }

  app::ModuleSource* source = nullptr;  // null: nothing can be fetched

 private:
  unsigned count_ = 0;
  std::map<std::string, unsigned> of_;
};

}  // namespace carrel::api
