#include "cli/state_folder.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace carrel::cli {
namespace fs = std::filesystem;
namespace {

// A set and non-empty variable, or null.
const char* variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? nullptr : value;
}

constexpr const char* kHelp = "name another folder with --state or CARREL_STATE";

}  // namespace

Result<fs::path> state_path(const std::string& option) {
  fs::path path;
  if (!option.empty()) {
    path = option;
  } else if (const char* state = variable("CARREL_STATE")) {
    path = state;
  } else if (const char* xdg = variable("XDG_STATE_HOME")) {
    path = fs::path(xdg) / "carrel";
  } else if (const char* home = variable("HOME")) {
    path = fs::path(home) / ".local/state/carrel";
  } else {
    return fail(Code::invalid_argument, "nothing says where to keep state: HOME is not set", kHelp);
  }
  std::error_code error;
  fs::path absolute = fs::absolute(path, error);
  if (error)
    return fail(Code::io, fmt::format("cannot find {}: {}", path.string(), error.message()), kHelp);
  return absolute;
}

Result<fs::path> open_state(const std::string& option) {
  CARREL_TRY(fs::path path, state_path(option));
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(
        Code::io,
        fmt::format("cannot make the state folder {}: {}", path.string(), std::strerror(errno)),
        kHelp);
  }
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return fail(Code::io, fmt::format("the state folder {} is not a folder", path.string()), kHelp);
  }
  if (status.st_uid != ::geteuid() || (status.st_mode & 0022) != 0) {
    return fail(Code::permission_denied,
                fmt::format("others may write to the state folder {}, and code is run from it",
                            path.string()),
                fmt::format("chown and chmod 700 {}, or {}", path.string(), kHelp));
  }
  return path;
}

void add_state_option(CLI::App& app, std::string& option) {
  app.add_option("--state", option,
                 "Where compiled code and this node's key are kept\n"
                 "(default: CARREL_STATE, else ~/.local/state/carrel)")
      ->type_name("DIR");
}

}  // namespace carrel::cli
