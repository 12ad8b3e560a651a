// A principal: who asks, as found out from what they presented, and what they may do where.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/id.h"
#include "tenant/path.h"
#include "tenant/verbs.h"

namespace carrel::tenant {

// Value type. What a caller may do: its verbs, on its scope and all tenants below.
struct Principal {
  std::string id;  // for the audit log: "operator", "token:3f9a0b1c2d3e4f50", "jwt:ISSUER|SUBJECT"
  TenantName scope;  // the node's: every tenant, and the node itself
  VerbSet verbs;
  std::optional<WallTime> expires;  // of what it presented

  bool may(Verb verb, const TenantName& tenant) const {
    return verbs.has(verb) && contains(scope, tenant);
  }
};

}  // namespace carrel::tenant
