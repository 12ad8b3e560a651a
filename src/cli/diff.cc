// carrel diff: what differs between two versions of a deployed app, or a folder and what is live.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "app/deployment/pack.h"
#include "cli/command.h"
#include "cli/deployed_app.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

struct Options {
  std::uint64_t one = 0, other = 0;
  std::string folder;
  DeployedAppOptions app;
};

using Files = std::map<std::string, std::string>;  // path, digest

Files files_in(const Json& files) {
  Files found;
  for (const Json& file : files) found[text_in(file, "path")] = text_in(file, "sha256");
  return found;
}

Result<Files> files_of(NodeClient& node, const Options& options, std::uint64_t version) {
  CARREL_TRY(const Json json,
             ask_json(node, "GET", options.app.target(fmt::format("/versions/{}", version))));
  return files_in(json.value("files", Json::array()));
}

Result<std::uint64_t> live_version(NodeClient& node, const Options& options) {
  CARREL_TRY(const Json json, ask_json(node, "GET", options.app.target()));
  const Json live = json.value("live", Json::array());
  if (live.empty()) return fail(Code::not_found, "no version is live");
  return live.front().value("version", std::uint64_t{0});
}

Result<void> show(const Files& old, const Files& fresh, const Options& options) {
  Json json = {{"added", Json::array()}, {"removed", Json::array()}, {"changed", Json::array()}};
  for (const auto& [path, digest] : fresh) {
    const auto before = old.find(path);
    if (before == old.end()) {
      json["added"].push_back(path);
    } else if (before->second != digest) {
      json["changed"].push_back(path);
    }
  }
  for (const auto& [path, digest] : old) {
    if (!fresh.contains(path)) json["removed"].push_back(path);
  }
  if (options.app.json) return write_json(json);
  const auto say = [&json](const char* what, char sign) {
    for (const Json& path : json[what])
      print(fmt::format("{} {}\n", sign, path.get<std::string>()));
  };
  say("added", '+');
  say("removed", '-');
  say("changed", '~');
  return {};
}

Result<void> diff(Options& options) {
  CARREL_TRY(const auto node, NodeClient::find(options.app.node, options.app.tenant_name()));
  std::uint64_t from = options.one;
  if (from == 0) {
    CARREL_TRY(from, live_version(*node, options));
  }
  CARREL_TRY(Files old, files_of(*node, options, from));
  if (!options.folder.empty()) {
    // What the server has fetched is in no folder.
    std::erase_if(old, [](const auto& file) {
      return file.first.starts_with(fmt::format("{}/", deployment::kOwnFolder));
    });
    CARREL_TRY(const auto packed, deployment::pack(options.folder));
    return show(old, files_in(to_json(packed.bundle)), options);
  }
  if (options.other == 0) {
    return fail(Code::invalid_argument, "carrel diff needs two versions, or --folder",
                "carrel help diff");
  }
  CARREL_TRY(const Files fresh, files_of(*node, options, options.other));
  return show(old, fresh, options);
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("APP", options->app.app)->required();
  app.add_option("OLD", options->one);
  app.add_option("NEW", options->other);
  app.add_option("--folder", options->folder, "Compare with what would be deployed from here")
      ->type_name("FOLDER");
  add_deployed_options(app, options->app);
  return [options] {
    const auto done = diff(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kDiff;
const Command kDiff{
    .name = "diff",
    .group = Group::serve,
    .summary = "Show which files differ between versions of a deployed app",
    .usage = "APP OLD NEW | APP [OLD] --folder FOLDER",
    .details = "One file a line: + added, - removed, ~ changed. Without OLD, from what is live.",
    .examples =
        "carrel diff shop 6 7\n"
        "carrel diff shop --folder shop\n",
    .add = add,
};

}  // namespace carrel::cli
