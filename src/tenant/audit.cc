#include "tenant/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "store/record.h"

namespace carrel::tenant {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr auto kKeptFor = std::chrono::hours(24 * 90);
constexpr std::uint64_t kEnd = UINT64_MAX >> 1;  // of time
const store::Place kAudit{.kind = store::Kind::audit, .store = ""};

std::string prefix_of(const TenantName& tenant) { return tenant.str() + ":"; }

Json parsed(const std::string& text) {
  return text.empty() ? Json() : Json::parse(text, nullptr, false);
}

// What the name still tells of an entry: when it was, and by which request. A trail has no gaps
// that nobody sees.
Json damaged(const TenantName& tenant, std::string_view name) {
  const auto dash = std::min(name.find('-'), name.size());
  const std::string_view digits = name.substr(0, dash);
  std::uint64_t before_end = kEnd;
  std::from_chars(digits.data(), digits.data() + digits.size(), before_end, 16);
  return {{"time", kEnd - before_end},
          {"tenant", tenant.str()},
          {"who", ""},
          {"from", ""},
          {"action", ""},
          {"target", ""},
          {"request", name.substr(std::min(dash + 1, name.size()))},
          {"damaged", true}};
}

}  // namespace

Result<void> record(store::Transaction& transaction, const AuditEntry& entry) {
  const std::uint64_t time = store::milliseconds(entry.time);
  Json json = {{"time", time},
               {"tenant", entry.tenant.str()},
               {"who", entry.who},
               {"from", entry.from},
               {"action", entry.action},
               {"target", entry.target},
               {"request", fmt::format("{:016x}", entry.id)}};
  if (!entry.before.empty()) json["before"] = parsed(entry.before);
  if (!entry.after.empty()) json["after"] = parsed(entry.after);
  store::Record kept{.bytes = json.dump(-1, ' ', false, Json::error_handler_t::replace),
                     .expires = store::milliseconds(entry.time + kKeptFor)};
  const std::string name =
      fmt::format("{}{:016x}-{:016x}", prefix_of(entry.tenant), kEnd - time, entry.id);
  return transaction.put(kAudit, name, std::move(kept));
}

Task<Result<AuditPage>> read_audit(store::Transaction* transaction, TenantName tenant,
                                   std::string after, std::size_t max) {
  const std::string prefix = prefix_of(tenant);
  CARREL_CO_TRY(
      const store::NamePage names,
      co_await transaction->read_names(kAudit, prefix, after.empty() ? "" : prefix + after, max));
  AuditPage page;
  for (const auto& entry : names.entries) {
    CARREL_CO_TRY(const auto found, co_await transaction->look(kAudit, entry.name));
    if (!found.any()) continue;
    Json json = found.damaged ? Json() : Json::parse(found.record->bytes, nullptr, false);
    page.entries.push_back(json.is_object() ? std::move(json)
                                            : damaged(tenant, entry.name.substr(prefix.size())));
  }
  if (!names.end && !names.entries.empty())
    page.next = names.entries.back().name.substr(prefix.size());
  co_return page;
}

Task<Result<std::size_t>> erase_audit(store::Transaction* transaction, TenantName tenant,
                                      std::size_t most) {
  CARREL_CO_TRY(const store::NamePage names,
                co_await transaction->read_names(kAudit, prefix_of(tenant), "", most));
  for (const auto& entry : names.entries) {
    CARREL_CO_TRY_VOID(co_await transaction->read(kAudit, entry.name));
    CARREL_CO_TRY_VOID(transaction->erase(kAudit, entry.name));
  }
  co_return names.entries.size();
}

}  // namespace carrel::tenant
