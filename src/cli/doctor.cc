// carrel doctor: whether this machine can run Carrel, and what to do if not.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/doctor_checks.h"
#include "cli/state_folder.h"
#include "cli/terminal.h"
#include "wasm/engine.h"

namespace carrel::cli {
namespace {

struct Options {
  std::string state;
  bool json = false;
};

std::string_view name_of(Check::Status status) {
  switch (status) {
    case Check::Status::fine:
      return "ok";
    case Check::Status::warning:
      return "warning";
    case Check::Status::problem:
      return "problem";
  }
  return "";
}

Colour colour_of(Check::Status status) {
  switch (status) {
    case Check::Status::fine:
      return Colour::green;
    case Check::Status::warning:
      return Colour::yellow;
    case Check::Status::problem:
      return Colour::red;
  }
  return Colour::plain;
}

void show_json(const std::vector<Check>& checks, const std::vector<wasm::SettingNote>& settings) {
  nlohmann::ordered_json json;
  json["checks"] = nlohmann::ordered_json::array();
  for (const Check& check : checks) {
    nlohmann::ordered_json item{
        {"name", check.name}, {"status", name_of(check.status)}, {"found", check.found}};
    if (!check.help.empty()) item["help"] = check.help;
    json["checks"].push_back(std::move(item));
  }
  json["settings"] = nlohmann::ordered_json::array();
  for (const wasm::SettingNote& note : settings) {
    json["settings"].push_back({{"name", note.name}, {"value", note.value}, {"why", note.why}});
  }
  print(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void show_text(const std::vector<Check>& checks, const std::vector<wasm::SettingNote>& settings) {
  const Palette palette(Stream::output);
  for (const Check& check : checks) {
    print(fmt::format("{}{} {:<23} {}\n",
                      palette.paint(colour_of(check.status), name_of(check.status)),
                      std::string(8 - name_of(check.status).size(), ' '), check.name, check.found));
    if (!check.help.empty()) print(fmt::format("{:33}help   {}\n", "", check.help));
  }
  print("\nThe engine's settings here:\n");
  for (const wasm::SettingNote& note : settings) {
    print(fmt::format("  {:<22}{:<16}{}\n", note.name, note.value, note.why));
  }
}

int examine(const Options& options) {
  std::vector<Check> checks;
  for (auto part :
       {check_kernel(), check_limits(), check_engine(options.state), check_toolchains()}) {
    std::ranges::move(part, std::back_inserter(checks));
  }
  const auto settings = wasm::explain(wasm::settings_for_this_machine());
  if (options.json) {
    show_json(checks, settings);
  } else {
    show_text(checks, settings);
  }
  const bool works = std::ranges::none_of(
      checks, [](const Check& each) { return each.status == Check::Status::problem; });
  if (!works)
    print_error("carrel: something will not work on this machine; see each problem's help\n");
  return works ? kOk : kFailure;
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_flag("--json", options->json, "As JSON");
  add_state_option(app, options->state);
  return [options] { return examine(*options); };
}

}  // namespace

extern const Command kDoctor;
const Command kDoctor{
    .name = "doctor",
    .group = Group::look,
    .summary = "Check whether this machine can run Carrel, and say what to do",
    .usage = "[--json]",
    .details =
        "Kernel, limits, address space, disk, folders, the compiler, and the toolchains for guests; then the\n"
        "engine's settings, as they were derived from the machine. The exit status is 1 if something will\n"
        "not work; warnings do not count.",
    .examples =
        "carrel doctor\ncarrel doctor --json | jq '.checks[] | select(.status != \"ok\")'\n",
    .add = add,
};

}  // namespace carrel::cli
