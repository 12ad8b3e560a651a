#include "cli/hook_shadow.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/percent.h"
#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/pipes.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostInput = 1 << 20;
constexpr std::chrono::seconds kLongest{150};  // two deadlines, of a minute each at most

Result<std::string> read_one(const std::string& input) {
  return input == "-" ? read_input(kMostInput) : read_file(input, kMostInput);
}

// "failed: egress_timeout: ...", or nothing.
std::string failure_in(const Json& json, const char* who) {
  const auto side = json.find(who);
  if (side == json.end() || text_in(*side, "code").empty()) return {};
  return fmt::format("the {} failed: {}: {}", who, text_in(*side, "code"),
                     text_in(*side, "detail"));
}

std::string micros_in(const Json& json, const char* who) {
  const auto side = json.find(who);
  if (side == json.end() || !side->is_object() || !side->contains("micros")) return "?";
  return side->at("micros").dump();
}

// Absent is not the same as null.
std::string shown(const Json& difference, const char* who) {
  const std::string text = text_in(difference, who);
  return text.empty() ? "nothing" : text;
}

Result<void> show(const std::string& input, const Json& json, bool same) {
  CARREL_TRY_VOID(write_line(fmt::format("{}: {} (endpoint {} us, module {} us)", input,
                                         same ? "same" : "different", micros_in(json, "endpoint"),
                                         micros_in(json, "module"))));
  for (const char* who : {"endpoint", "module"}) {
    const std::string failure = failure_in(json, who);
    if (!failure.empty()) CARREL_TRY_VOID(write_line("  " + failure));
  }
  for (const Json& each : json.at("differences")) {
    const std::string at = text_in(each, "at");
    CARREL_TRY_VOID(
        write_line(fmt::format("  {}: endpoint {}, module {}", at.empty() ? "the answer" : at,
                               shown(each, "endpoint"), shown(each, "module"))));
  }
  return {};
}

}  // namespace

Result<int> shadow(NodeClient& node, const ShadowOptions& options) {
  if (options.binding.empty() || options.module.empty()) {
    return fail(Code::invalid_argument, "carrel hook shadow needs --binding and --module",
                "carrel help hook");
  }
  const std::string target =
      fmt::format("/v1/hooks/{}:shadow?binding={}&module={}", percent_encode(options.point),
                  percent_encode(options.binding), percent_encode(options.module));
  std::vector<std::string> inputs = options.inputs;
  if (inputs.empty()) inputs.emplace_back("-");
  int status = kOk;
  for (const std::string& input : inputs) {
    CARREL_TRY(std::string text, read_one(input));
    CARREL_TRY(const NodeAnswer answer, node.call("POST", target, std::move(text), kLongest));
    Json json = Json::parse(answer.body, nullptr, false);
    if (!json.is_object() || !json.contains("same") || !json["same"].is_boolean() ||
        !json.contains("differences") || !json["differences"].is_array()) {
      return fail(Code::unavailable, "the server's answer is not one of hook points",
                  "does --server name the listener of hook points, not the /v1 API?");
    }
    const bool same = json["same"].get<bool>();
    if (!same) status = kFailure;
    if (options.json) {
      json["input"] = input;
      CARREL_TRY_VOID(write_json(json));
    } else {
      CARREL_TRY_VOID(show(input, json, same));
    }
  }
  return status;
}

}  // namespace carrel::cli
