#include "api/hook_request.h"

#include <fmt/format.h>

namespace carrel::api {

Result<void> may(const HookRequest& request, tenant::Verb verb, const TenantName& tenant) {
  if (request.principal.may(verb, tenant)) return {};
  const std::string where = tenant == tenant::kNode ? "the node" : "tenant " + tenant.str();
  return fail(Code::permission_denied,
              fmt::format("the verb \"{}\" on {} is needed", tenant::verb_name(verb), where));
}

Result<const hook::Point*> event_point(const HookRequest& request, std::string_view name) {
  const auto found = request.app->points.find(name);
  if (found == request.app->points.end()) {
    return fail(Code::not_found,
                fmt::format("the app {} has no such point", request.app->app.str()));
  }
  if (found->second.kind == app::PointKind::event) return &found->second;
  return fail(Code::invalid_argument,
              "the point is called (:invoke), not told of events; that is kind = \"event\"");
}

Answer not_allowed(std::string_view method, std::uint64_t id) {
  Answer answer = problem(Error(Code::method_not_allowed), id);
  answer.head.headers.emplace_back("allow", method);
  return answer;
}

}  // namespace carrel::api
