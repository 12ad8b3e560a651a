// Who may do what: the one table, and the one place where it is asked.
//
// Each operation has a verb and says on whose behalf it is needed. An operation without a row is
// refused to everybody.
#pragma once

#include <optional>
#include <string_view>

#include "base/id.h"
#include "base/result.h"
#include "tenant/principal.h"

namespace carrel::api {

enum class Where : std::uint8_t {
  open,      // no token is needed
  anywhere,  // the verb anywhere; the answer shows only what lies within the caller's scope
  node,      // the verb on the node
  tenant,    // the verb on the tenant of the path
  parent,    // the verb on the tenant above that of the path: what bounds a tenant is not its own
  body,  // as `parent`, of the tenant that the body names: the operation asks `authorise` itself
};

struct Access {
  std::string_view operation;  // id
  Where where;
  tenant::Verb verb;
};

// Null: nobody may.
const Access* access_of(std::string_view operation);

// `named`: the tenant that the request names, if it names one. Errors: permission_denied, saying
// which verb is needed where.
Result<void> authorise(const Access& access, const tenant::Principal& principal,
                       const std::optional<TenantName>& named);

}  // namespace carrel::api
