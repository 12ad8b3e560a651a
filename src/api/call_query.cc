#include "api/call_query.h"

#include <fmt/format.h>

#include "api/query.h"
#include "tenant/path.h"

namespace carrel::api {

Result<CallQuery> read_call_query(std::string_view text, const hook::App& app) {
  constexpr std::size_t kMostSubject = 256;
  constexpr std::uint64_t kLongestTimeout = 3'600'000;
  CallQuery query;
  CARREL_TRY(const auto pairs, read_query(text));
  for (const auto& [key, value] : pairs) {
    if (key == "tenant") {
      CARREL_TRY(query.tenant, tenant::parse_tenant(value));
      if (!tenant::contains(app.tenant, *query.tenant)) {
        return fail(Code::invalid_argument,
                    fmt::format("the tenant is not {} or below it", app.tenant.str()));
      }
    } else if (key == "subject" && !value.empty() && value.size() <= kMostSubject) {
      query.subject = value;
    } else if (key == "dry_run" && (value == "true" || value == "false")) {
      query.dry_run = value == "true";
    } else if (key == "timeout_ms") {
      CARREL_TRY(const std::uint64_t millis, read_number(key, value, kLongestTimeout));
      query.longest = std::chrono::milliseconds(millis);
    } else {
      return fail(Code::invalid_argument,
                  "a point is called with tenant, subject (256 bytes at most), dry_run (true or "
                  "false) and timeout_ms");
    }
  }
  return query;
}

}  // namespace carrel::api
