#include "tenant/path.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "store/key.h"

namespace carrel::tenant {
namespace {

constexpr std::size_t kMaxPart = 64;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_part(std::string_view part) {
  return !part.empty() && part.size() <= kMaxPart && is_letter_or_digit(part.front()) &&
         std::ranges::all_of(part,
                             [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
}

}  // namespace

Result<TenantName> parse_tenant(std::string_view text) {
  bool good = text.size() <= store::kMaxTenant;
  std::size_t parts = 0;
  for (std::size_t at = 0; good && at <= text.size(); ++parts) {
    const auto end = std::min(text.find('/', at), text.size());
    good = is_part(text.substr(at, end - at)) && parts < kMaxDepth;
    at = end + 1;
  }
  if (good) return TenantName(std::string(text));
  return fail(Code::invalid_argument, fmt::format("a tenant's name is {}", kTenantRule));
}

bool contains(const TenantName& subtree, const TenantName& tenant) {
  const std::string& above = subtree.str();
  const std::string& name = tenant.str();
  return above.empty() ||
         (name.starts_with(above) && (name.size() == above.size() || name[above.size()] == '/'));
}

TenantName parent_of(const TenantName& tenant) {
  const auto slash = tenant.str().rfind('/');
  return slash == std::string::npos ? kNode : TenantName(tenant.str().substr(0, slash));
}

}  // namespace carrel::tenant
