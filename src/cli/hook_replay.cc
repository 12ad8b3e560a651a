#include "cli/hook_replay.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <nlohmann/json.hpp>
#include <thread>

#include "base/percent.h"
#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/kept.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds kBetweenLooks{500};
constexpr std::chrono::minutes kLongest{10};

std::string target_of(const ReplayOptions& options, std::string_view what) {
  return fmt::format("/v1/tenants/{}/bindings/{}{}", percent_encode(options.tenant),
                     percent_encode(options.binding), what);
}

Result<std::vector<Json>> list_in(const NodeAnswer& answer, const char* name) {
  const Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains(name) || !json[name].is_array())
    return fail(Code::unavailable, "the server's answer cannot be understood");
  return json[name].get<std::vector<Json>>();
}

std::uint64_t number_in(const Json& json, const char* name) {
  const auto found = json.is_object() ? json.find(name) : json.end();
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string shown(const Json& json, const char* name) {
  return json.is_object() && json.contains(name) ? json[name].dump() : "";
}

// "42  2026-01-01T00:00:00Z  answered in 310 us  {"total":1} -> {"discount":1}"
Result<void> show_recording(const Json& each, const ReplayOptions& options) {
  if (options.json) return write_json(each);
  const std::string input = shown(each, "input"), answer = shown(each, "answer");
  const std::string code = text_in(each, "code"), text = text_in(each, "text");
  std::string what = answer;
  if (!code.empty() || !text.empty()) what = code + (code.empty() ? "" : ": ") + text;
  return write_line(fmt::format("{}  {}  {} in {} us  {}{}{}", number_in(each, "number"),
                                text_in(each, "time"), text_in(each, "status"),
                                number_in(each, "micros"), input.empty() ? "(too large)" : input,
                                what.empty() ? "" : " -> ", what));
}

Result<void> show_replay(const Json& each, const ReplayOptions& options) {
  if (options.json) return write_json(each);
  const Json now = each.value("replayed", Json::object());
  const Json then = each.value("recorded", Json::object());
  const bool same = each.contains("same") && each["same"] == Json(true);
  const std::string code = text_in(now, "code"), text = text_in(now, "text");
  CARREL_TRY_VOID(write_line(fmt::format("{}: {} ({}, was {}){}{}", number_in(each, "number"),
                                         same ? "same" : "different", text_in(now, "status"),
                                         text_in(then, "status"), code.empty() ? "" : " " + code,
                                         text.empty() ? "" : ": " + text)));
  const auto differences = each.find("differences");
  if (differences == each.end() || !differences->is_array()) return {};
  for (const Json& difference : *differences) {
    const auto side = [&](const char* name) {
      const std::string value = text_in(difference, name);
      return value.empty() ? std::string("nothing") : value;
    };
    CARREL_TRY_VOID(write_line(fmt::format("  {}: was {}, is {}", text_in(difference, "at"),
                                           side("recorded"), side("replayed"))));
  }
  return {};
}

// "tweaks/loyalty@3"
Result<Json> module_of(const std::string& text) {
  const auto slash = text.find('/'), at = text.find('@');
  std::uint64_t version = 0;
  bool good = slash != std::string::npos && (at == std::string::npos || at > slash);
  if (good && at != std::string::npos) {
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + at + 1, end, version);
    good = error == std::errc() && rest == end && version > 0;
  }
  if (!good) {
    return fail(Code::invalid_argument, fmt::format("--module cannot be {}", text),
                "it is APP/NAME or APP/NAME@VERSION, of a deployed app of the tenant");
  }
  Json module = {{"app", text.substr(0, slash)},
                 {"name", text.substr(slash + 1, std::min(at, text.size()) - slash - 1)}};
  if (version > 0) module["version"] = version;
  return module;
}

}  // namespace

void add_replay_options(CLI::App& app, ReplayOptions& options) {
  app.add_option("--input", options.input, "replay: only the recording of this number")
      ->type_name("N");
  app.add_flag("-f,--follow", options.follow, "tail: go on with what comes");
}

Result<void> hook_tail(NodeClient& node, const ReplayOptions& options) {
  std::uint64_t after = 0;
  for (;;) {
    std::string target = target_of(options, "/recordings");
    if (after > 0) target += fmt::format("?after={}", after);
    CARREL_TRY(const NodeAnswer answer, node.call("GET", target));
    CARREL_TRY(const auto recordings, list_in(answer, "recordings"));
    for (const Json& each : recordings) {
      CARREL_TRY_VOID(show_recording(each, options));
      after = std::max(after, number_in(each, "number"));
    }
    if (!options.follow) return {};
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

Result<int> hook_replay(NodeClient& node, const ReplayOptions& options) {
  Json body = Json::object();
  if (options.input > 0) body["input"] = options.input;
  if (!options.module.empty()) {
    CARREL_TRY(body["module"], module_of(options.module));
  }
  CARREL_TRY(const NodeAnswer answer,
             node.call("POST", target_of(options, ":replay"), body.dump(), kLongest));
  CARREL_TRY(const auto replays, list_in(answer, "replays"));
  int status = kOk;
  for (const Json& each : replays) {
    CARREL_TRY_VOID(show_replay(each, options));
    if (!each.contains("same") || each["same"] != Json(true)) status = kFailure;
  }
  return status;
}

}  // namespace carrel::cli
