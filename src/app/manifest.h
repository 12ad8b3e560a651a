// The manifest: what an app is made of, as data. carrel.toml and wagi's modules.toml (wagi.h) both
// become one.
//
// Reading it is strict: an unknown key, a missing file, a route that names no module are errors,
// all reported at once, each with its line and what to do. Whoever holds a Manifest need not check
// any of that again.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/hooks.h"
#include "app/oci/reference.h"
#include "app/route.h"
#include "app/table_reader.h"
#include "base/id.h"
#include "base/result.h"
#include "store/changes.h"
#include "turn/turn.h"

namespace carrel::app {

// A host folder that a module sees read-only (wagi's volumes).
struct Volume {
  std::string guest;  // absolute: "/assets"
  std::filesystem::path host;
};

struct Module {
  ModuleName name;
  std::filesystem::path source;  // a file that existed when the manifest was read, or was fetched
  std::optional<oci::Reference> image = {};  // where it is fetched from: see fetch_sources.h
  turn::Limits limits;
  std::string entrypoint = "_start";
  bool reuse = false;  // instances, for more than one turn
  std::string argv;    // wagi's template; empty: the ABI's default
  Pairs config;        // environment variables, and files below /config
  Pairs environment;   // environment variables only
  std::vector<Volume> volumes;
  turn::Grants grants;
};

struct Function {
  Route route;
  std::size_t module;  // in Manifest::modules
};

struct StaticFolder {
  Route route;  // ends in "/*"
  std::filesystem::path folder;
  std::optional<std::chrono::seconds> max_age;  // Cache-Control
};

// Value type. Vectors are in the order that matters: functions and statics in that of the file.
struct Manifest {
  std::filesystem::path file;
  std::filesystem::path folder;  // what paths in the file are relative to
  AppName app;
  store::Sync sync = store::Sync::always;  // when a commit counts as durable
  std::uint64_t storage = 1ULL << 30;      // bytes it may store
  RouteRules rules = RouteRules::carrel;
  std::vector<Module> modules;  // by name
  std::vector<Function> functions;
  std::vector<StaticFolder> statics;
  std::vector<HookPoint> hooks;
  std::vector<Callback> callbacks;
  std::optional<std::filesystem::path>
      assets;                        // the folder's assets/, which modules see as /assets
  std::vector<std::string> notices;  // accepted, but not as the author may expect

  const Module* module(std::string_view name) const;
};

// `where` is an app's folder or its manifest. Errors: not_found, io, invalid_config.
Result<Manifest> load_manifest(const std::filesystem::path& where);

// The text of `file`, which only says what paths are relative to. Errors: invalid_config.
Result<Manifest> parse_manifest(std::string_view text, const std::filesystem::path& file);

// Errors: invalid_config for what only an app in a folder may have, and one that is deployed may
// not: bindings in other tenants.
Result<void> check_deployable(const Manifest& manifest);

// Parts that modules.toml and case.toml share.
turn::Limits read_limits(TableReader& owner, std::string_view key, turn::Limits otherwise);
Pairs read_environment(TableReader& table, std::string_view key);
// A path that must stay in the app's folder, so that the folder is the whole app.
std::optional<std::filesystem::path> inner_path(TableReader& table, std::string_view key,
                                                const std::filesystem::path& folder);

}  // namespace carrel::app
