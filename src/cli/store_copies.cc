// carrel store backup, carrel store restore.
#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "cli/command.h"
#include "cli/node_client.h"
#include "cli/state_folder.h"
#include "cli/store_actions.h"
#include "cli/terminal.h"
#include "store/backup.h"
#include "store/database_folder.h"

namespace carrel::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::hours kLongestBackup{1};

std::string json_of(std::string_view what, const fs::path& path) {
  return nlohmann::json{{what, path.string()}}.dump(-1, ' ', false,
                                                    nlohmann::json::error_handler_t::replace);
}

void say_done(Form form, std::string_view what, const fs::path& path) {
  print(form == Form::json ? json_of(what, path) + "\n"
                           : fmt::format("{} {}\n", what, path.string()));
}

// The server that has the store open makes it.
Result<void> ask_server(const fs::path& state, const std::string& folder, const Error& locked) {
  const auto node = NodeClient::of_state(state);
  if (!node && node.error().code() == Code::unavailable) {
    return fail(Code::store_locked,
                fmt::format("{}, and no server says where its API is", locked.message()),
                "wait for that process to end, or stop it: a server with --admin off makes no "
                "backups");
  }
  if (!node) return std::unexpected(node.error());
  std::error_code error;
  const fs::path whole = fs::absolute(folder, error);
  if (error || !is_utf8(whole.native())) {
    return fail(Code::invalid_argument, fmt::format("the server cannot be told of {}", folder),
                "name a folder whose path is UTF-8");
  }
  auto made = (*node)->call("POST", "/v1/store:backup", json_of("folder", whole), kLongestBackup);
  if (!made) return std::unexpected(std::move(made).error().within("the server's backup"));
  return {};
}

Result<void> back_up(const fs::path& folder, std::shared_ptr<store::Database> database,
                     const fs::path& backup) {
  store::Parts parts(store::parts_folder(folder));
  return store::make_backup(std::move(database), parts, backup);
}

}  // namespace

Result<int> back_up_store(const StoreArguments& arguments) {
  CARREL_TRY(const fs::path folder, store_folder(arguments));
  CARREL_TRY_VOID(store::check_folder(folder));
  auto database = store::Database::open({.folder = folder});
  if (database) {
    CARREL_TRY_VOID(back_up(folder, std::move(*database), arguments.path));
  } else if (database.error().code() == Code::store_locked) {
    CARREL_TRY_VOID(ask_server(folder.parent_path(), arguments.path, database.error()));
  } else {
    return std::unexpected(std::move(database).error());
  }
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
