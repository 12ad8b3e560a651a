// carrel store: looking after a node's store while no server has it open.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/state_folder.h"
#include "cli/terminal.h"
#include "store/backup.h"
#include "store/check.h"
#include "store/database_folder.h"

namespace carrel::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string action;
  std::string path;
  std::string state;
  bool json = false;
};

Result<fs::path> store_of(const Options& options) {
  CARREL_TRY(const fs::path state, state_path(options.state));
  return state / "store";
}

void show(const store::CheckReport& report, const fs::path& folder, const Options& options) {
  if (options.json) {
    nlohmann::ordered_json json{
        {"folder", folder.string()},     {"problems", report.problems},
        {"keys", report.keys},           {"bytes", report.bytes},
        {"tenants", report.tenants},     {"blobs", report.blobs},
        {"parts", report.parts},         {"unused_parts", report.unused_parts},
        {"first_problems", report.first}};
    print(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
    return;
  }
  for (const std::string& problem : report.first) print(problem + "\n");
  print(fmt::format("{}: {} keys of {} tenants, {} bytes, {} blobs: {}\n", folder.string(),
                    report.keys, report.tenants, report.bytes, report.blobs,
                    report.problems == 0 ? "well" : fmt::format("{} problems", report.problems)));
}

Result<int> check(const Options& options) {
  fs::path folder = options.path;
  if (options.path.empty()) {
    CARREL_TRY(folder, store_of(options));
  }
  CARREL_TRY(const store::CheckReport report, store::check(folder, [](std::uint64_t keys) {
               if (keys > 0) print_error(fmt::format("carrel: {} keys read\n", keys));
             }));
  show(report, folder, options);
  return report.problems == 0 ? kOk : kFailure;
}

void say_done(const Options& options, std::string_view what, const fs::path& path) {
  if (options.json) {
    print(nlohmann::ordered_json{{what, path.string()}}.dump() + "\n");
  } else {
    print(fmt::format("{} {}\n", what, path.string()));
  }
}

Result<int> backup(const Options& options) {
  CARREL_TRY(const fs::path folder, store_of(options));
  CARREL_TRY_VOID(store::check_folder(folder));
  CARREL_TRY(const auto database, store::Database::open({.folder = folder}));
  store::Parts parts(store::parts_folder(folder));
  CARREL_TRY_VOID(store::make_backup(database, parts, options.path));
  say_done(options, "backup", options.path);
  return kOk;
}

Result<int> restore(const Options& options) {
  CARREL_TRY(const fs::path state, open_state(options.state));
  CARREL_TRY_VOID(store::restore_backup(options.path, state / "store"));
  say_done(options, "restored", state / "store");
  return kOk;
}

Result<int> act(const Options& options) {
  if (options.action == "check") return check(options);
  if (options.path.empty()) {
    return fail(Code::invalid_argument,
                fmt::format("carrel store {} needs the backup's folder", options.action),
                fmt::format("write it like carrel store {} FOLDER", options.action));
  }
  return options.action == "backup" ? backup(options) : restore(options);
}

int run(const Options& options) {
  const auto status = act(options);
  if (status) return *status;
  report(status.error());
  return status.error().code() == Code::invalid_argument ? kUsage : kFailure;
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("ACTION", options->action)
      ->required()
      ->check(CLI::IsMember({"check", "backup", "restore"}));
  app.add_option("FOLDER", options->path);
  app.add_flag("--json", options->json, "As JSON");
  add_state_option(app, options->state);
  return [options] { return run(*options); };
}

}  // namespace

extern const Command kStore;
const Command kStore{
    .name = "store",
    .group = Group::look,
    .summary = "Check, back up or restore a node's store",
    .usage = "[OPTIONS] check [FOLDER] | backup FOLDER | restore FOLDER",
    .details =
        "check reads a stopped store, or a backup, and compares every checksum; the exit status is 1 if\n"
        "something is damaged. backup makes FOLDER, cut at one commit; restore puts one in the place of the\n"
        "store, which must not exist. The node's key is in no backup: secrets are only of use with it.\n"
        "No server may have the store open.",
    .examples =
        "carrel store check\ncarrel store backup /backup/monday\n"
        "carrel store restore /backup/monday --state /srv/carrel\n",
    .add = add,
};

}  // namespace carrel::cli
