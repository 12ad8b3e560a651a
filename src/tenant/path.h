// A tenant's name is its path in the tree: "acme", "acme/merchant-17".
//
// Each part is 1 to 64 of a-z, 0-9, '-' and '_', first a letter or a digit; 255 bytes and eight
// parts at most. The node itself is the tenant "", above all others; nobody can ask for it by name.
#pragma once

#include <string_view>

#include "base/id.h"
#include "base/result.h"

namespace carrel::tenant {

inline constexpr std::size_t kMaxDepth = 8;
inline constexpr std::string_view kTenantRule =
    "1 to 8 parts with '/' between them, each 1 to 64 of a-z, 0-9, - and _, first a letter or "
    "digit, 255 bytes at most";

inline const TenantName kNode;

// Errors: invalid_argument that says what a tenant's name is.
Result<TenantName> parse_tenant(std::string_view text);

// Whether `tenant` is `subtree` or lies below it. Everything lies below the node.
bool contains(const TenantName& subtree, const TenantName& tenant);

// "acme" of "acme/merchant-17"; of "acme": the node.
TenantName parent_of(const TenantName& tenant);

}  // namespace carrel::tenant
