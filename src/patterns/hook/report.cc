#include "patterns/hook/report.h"

#include <nlohmann/json.hpp>

namespace carrel::hook {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json to_json(const std::vector<document::Problem>& problems) {
  Json list = Json::array();
  for (const auto& each : problems) list.push_back({{"at", each.at}, {"message", each.message}});
  return list;
}

Json to_json(const Run& run) {
  Json json = {{"binding", run.binding},
               {"tenant", run.tenant.str()},
               {"status", status_name(run.status)},
               {"micros", std::chrono::duration_cast<std::chrono::microseconds>(run.took).count()}};
  if (run.error) json["code"] = code_name(run.error->code());
  if (!run.problems.empty()) json["problems"] = to_json(run.problems);
  return json;
}

Json to_json(const std::vector<Run>& runs) {
  Json list = Json::array();
  for (const auto& run : runs) list.push_back(to_json(run));
  return list;
}

Json to_json(const Point& point) {
  Json bindings = Json::array();
  for (const auto& each : point.bindings) {
    Json binding = {{"name", each.name}, {"tenant", each.module.tenant.str()}};
    // Not its path, which may hold what nobody is to know.
    if (each.endpoint)
      binding["endpoint"] = each.endpoint->url.scheme + "://" + each.endpoint->url.authority();
    bindings.push_back(std::move(binding));
  }
  Json json = {{"point", point.name},
               {"kind", app::kind_name(point.kind)},
               {"bindings", std::move(bindings)}};
  if (point.kind == app::PointKind::call) json["combine"] = app::combine_name(point.combine);
  return json;
}

}  // namespace

std::string runs_text(const std::vector<Run>& runs) { return text_of(to_json(runs)); }

std::string failure_text(const Invocation& made) {
  Json json = Json::object();
  if (!made.culprit.empty()) json["binding"] = made.culprit;
  if (!made.problems.empty()) json["problems"] = to_json(made.problems);
  if (!made.runs.empty()) json["runs"] = to_json(made.runs);
  return text_of(json);
}

std::string points_text(const App& app) {
  Json points = Json::array();
  for (const auto& [name, point] : app.points) points.push_back(to_json(point));
  return text_of(points);
}

}  // namespace carrel::hook
