#include "api/answer.h"

#include <fmt/chrono.h>

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/utf8.h"

namespace carrel::api {

using Json = nlohmann::json;

std::string time_text(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

net::ReplyHead head_of(int status, std::string_view type) {
  return {.status = status,
          .headers = {{"content-type", std::string(type)},
                      {"cache-control", "no-store"},
                      {"x-content-type-options", "nosniff"}}};
}

Answer no_content() { return {{.status = 204, .headers = {{"cache-control", "no-store"}}}, ""}; }

void add_name(Json& json, const std::string& name) {
  if (is_utf8(name)) {
    json["name"] = name;
  } else {
    json["name64"] = to_base64(name);
  }
}

// Names come from manifests, which may hold any bytes.
Answer json_answer(const Json& json) {
  return {head_of(200, "application/json"),
          json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

Answer problem(const Error& error, std::uint64_t id) {
  Answer answer{net::problem_head(error), net::problem_body(error, id)};
  if (error.code() == Code::unauthenticated) {
    answer.head.headers.emplace_back("www-authenticate", "Bearer realm=\"carrel\"");
  }
  return answer;
}

Answer explained_problem(const Error& error, std::uint64_t id) {
  Answer answer = problem(error, id);
  Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || error.message().empty()) return answer;
  json["detail"] = error.message();
  answer.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return answer;
}

}  // namespace carrel::api
