#include "api/shadow.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/body.h"
#include "api/query.h"

namespace carrel::api {
namespace {

using async::Task;
using Json = nlohmann::json;
using tenant::Verb;

constexpr std::string_view kShadow = ":shadow";

const hook::Binding* named(const std::vector<hook::Binding>& all, const std::string& name) {
  const auto found = std::ranges::find(all, name, &hook::Binding::name);
  return found == all.end() ? nullptr : &*found;
}

// Who is asked beside whom.
Result<hook::ShadowCall> call_of(const HookRequest& request, std::string_view name) {
  const auto point = request.app->points.find(name);
  if (point == request.app->points.end()) {
    return fail(Code::not_found,
                fmt::format("the app {} has no such point", request.app->app.str()));
  }
  std::string binding, module;
  CARREL_TRY(const auto pairs, read_query(request.exchange->request.query));
  for (const auto& [key, value] : pairs) {
    if (key != "binding" && key != "module")
      return fail(Code::invalid_argument, "a shadow is asked for with binding and module");
    (key == "module" ? module : binding) = value;
  }
  hook::ShadowCall call{.app = request.app,
                        .point = &point->second,
                        .endpoint = named(point->second.bindings, binding),
                        .module = named(request.app->modules, module),
                        .id = request.exchange->id};
  if (call.endpoint == nullptr || !call.endpoint->endpoint)
    return fail(Code::not_found, "`binding` names no endpoint at the point");
  if (call.module == nullptr) return fail(Code::not_found, "`module` names no module of the app");
  return call;
}

Json to_json(const hook::ShadowAnswer& made) {
  Json json = {
      {"micros", std::chrono::duration_cast<std::chrono::microseconds>(made.took).count()}};
  if (made.error) {
    json["code"] = code_name(made.error->code());
    json["detail"] = made.error->message();
  } else if (!made.answer.empty()) {
    json["answer"] = Json::parse(made.answer, nullptr, false);
  }
  return json;
}

Json to_json(const hook::Comparison& made) {
  Json differences = Json::array();
  for (const hook::Difference& each : made.differences) {
    Json json = {{"at", each.at}};
    if (!each.left.empty()) json["endpoint"] = each.left;
    if (!each.right.empty()) json["module"] = each.right;
    differences.push_back(std::move(json));
  }
  return {{"same", made.same()},
          {"endpoint", to_json(made.endpoint)},
          {"module", to_json(made.module)},
          {"differences", std::move(differences)}};
}

Task<Result<Answer>> compare(hook::Shadows* shadows, HookRequest request, std::string_view point) {
  for (const Verb verb : {Verb::invoke, Verb::logs})
    CARREL_CO_TRY_VOID(may(request, verb, request.app->tenant));
  CARREL_CO_TRY(hook::ShadowCall call, call_of(request, point));
  if (request.exchange->request.method != "POST")
    co_return not_allowed("POST", request.exchange->id);
  CARREL_CO_TRY(call.input, co_await read_body(&request.exchange->body, hook::kMaxDocument));
  CARREL_CO_TRY(const hook::Comparison made, co_await shadows->compare(std::move(call)));
  co_return json_answer(to_json(made));
}

}  // namespace

Task<std::optional<Result<Answer>>> ShadowApi::answer(HookRequest request) {
  std::string_view path = request.path;
  if (!path.starts_with('/') || !path.ends_with(kShadow)) co_return std::nullopt;
  path.remove_prefix(1);
  path.remove_suffix(kShadow.size());
  co_return co_await compare(&shadows_, std::move(request), path);
}

}  // namespace carrel::api
