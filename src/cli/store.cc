// carrel store: looking after a node's store.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>

#include "cli/command.h"
#include "cli/state_folder.h"
#include "cli/store_actions.h"
#include "cli/terminal.h"

namespace carrel::cli {

namespace fs = std::filesystem;

Result<fs::path> store_folder(const StoreArguments& arguments) {
  CARREL_TRY(const fs::path state, state_path(arguments.state));
  return state / "store";
}

Result<fs::path> folder_to_read(const StoreArguments& arguments) {
  if (arguments.path.empty()) return store_folder(arguments);
  return fs::path(arguments.path);
}

namespace {

enum class Folder : unsigned char { none, optional, needed };

struct Action {
  std::string_view name;
  Result<int> (*act)(const StoreArguments& arguments);
  Folder folder;
};

constexpr std::array<Action, 5> kActions = {{
    {"check", check_store, Folder::optional},
    {"backup", back_up_store, Folder::needed},
    {"restore", restore_store, Folder::needed},
    {"export", export_store, Folder::optional},
    {"import", import_store, Folder::none},
}};

Result<int> act(const StoreArguments& arguments) {
  const auto* const action =
      std::ranges::find(kActions, std::string_view(arguments.action), &Action::name);
  if (action->folder == Folder::needed && arguments.path.empty()) {
    return fail(Code::invalid_argument,
                fmt::format("carrel store {} needs the backup's folder", action->name),
                fmt::format("write it like carrel store {} FOLDER", action->name));
  }
  if (action->folder == Folder::none && !arguments.path.empty()) {
    return fail(Code::invalid_argument,
                fmt::format("carrel store {} takes no folder", action->name),
                "the store is that of --state; the export is read from --file or standard input");
  }
  return action->act(arguments);
}

int run(const StoreArguments& arguments) {
  const auto status = act(arguments);
  if (status) return *status;
  report(status.error());
  return status.error().code() == Code::invalid_argument ? kUsage : kFailure;
}

Run add(CLI::App& app) {
  auto arguments = std::make_shared<StoreArguments>();
  arguments->existing = "refuse";
  std::vector<std::string> names;
  names.reserve(kActions.size());
  for (const Action& action : kActions) names.emplace_back(action.name);
  app.add_option("ACTION", arguments->action)->required()->check(CLI::IsMember(names));
  app.add_option("FOLDER", arguments->path);
  app.add_option("--file", arguments->file, "Export to FILE, which must not exist, or import it")
      ->type_name("FILE");
  app.add_option("--app", arguments->app, "Export what this app keeps only")->type_name("APP");
  app.add_option("--existing", arguments->existing,
                 "What an import does with a name that is there:\n"
                 "refuse (the default), skip or replace")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"refuse", "skip", "replace"}));
  app.add_flag_callback("--json", [arguments] { arguments->form = Form::json; }, "As JSON");
  add_state_option(app, arguments->state);
  return [arguments] { return run(*arguments); };
}

}  // namespace

extern const Command kStore;
const Command kStore{
    .name = "store",
    .group = Group::look,
    .summary = "Check, back up, restore, export or import a node's store",
    .usage = "[OPTIONS] check|export [FOLDER] | backup|restore FOLDER | import",
    .details =
        "check reads a stopped store, or a backup, and compares every checksum; the exit status is 1 if\n"
        "something is damaged. backup makes FOLDER, cut at one commit; of a store that a server has open\n"
        "the server makes it, asked by its /v1 API. restore puts a backup in the place of the store,\n"
        "which must not exist.\n"
        "export writes values, counters and blobs as lines of JSON, of a stopped store or of a backup;\n"
        "import reads such lines. Of an import with a bad line, what comes before that line stays.\n"
        "The node's key is in neither: secrets are only of use with it, and are in no export.",
    .examples =
        "carrel store check\ncarrel store backup /backup/monday\n"
        "carrel store restore /backup/monday --state /srv/carrel\n"
        "carrel store export /backup/monday --app shop --file shop.jsonl\n"
        "carrel store import --file shop.jsonl --existing skip\n",
    .add = add,
};

}  // namespace carrel::cli
