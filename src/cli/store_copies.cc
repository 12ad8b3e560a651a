// carrel store backup, carrel store restore.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/state_folder.h"
#include "cli/store_actions.h"
#include "cli/terminal.h"
#include "store/backup.h"
#include "store/database_folder.h"

namespace carrel::cli {
namespace {

namespace fs = std::filesystem;

void say_done(Form form, std::string_view what, const fs::path& path) {
  if (form == Form::json) {
    print(nlohmann::ordered_json{{what, path.string()}}.dump() + "\n");
  } else {
    print(fmt::format("{} {}\n", what, path.string()));
  }
}

}  // namespace

Result<int> back_up_store(const StoreArguments& arguments) {
  CARREL_TRY(const fs::path folder, store_folder(arguments));
  CARREL_TRY_VOID(store::check_folder(folder));
  auto database = store::Database::open({.folder = folder});
  if (!database && database.error().code() == Code::store_locked) {
    return fail(Code::store_locked, database.error().message(),
                "a server that has it open makes backups itself: POST /v1/store:backup");
  }
  if (!database) return std::unexpected(std::move(database).error());
  store::Parts parts(store::parts_folder(folder));
  CARREL_TRY_VOID(store::make_backup(std::move(*database), parts, arguments.path));
  say_done(arguments.form, "backup", arguments.path);
  return kOk;
}

Result<int> restore_store(const StoreArguments& arguments) {
  CARREL_TRY(const fs::path state, open_state(arguments.state));
  CARREL_TRY_VOID(store::restore_backup(arguments.path, state / "store"));
  say_done(arguments.form, "restored", state / "store");
  return kOk;
}

}  // namespace carrel::cli
