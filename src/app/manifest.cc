#include "app/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "app/grants_reader.h"
#include "app/units.h"

namespace carrel::app {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct Later {
  std::string_view key, needs;
};

constexpr std::array<Later, 7> kLaterTables{{{"queue", "queues"},
                                             {"stream", "streams"},
                                             {"schedule", "schedules"},
                                             {"proxy", "proxy filters"},
                                             {"workflow", "workflows"},
                                             {"actor", "actors"},
                                             {"batch", "batch jobs"}}};

class Reader {
 public:
  Reader(const TomlValue& root, const fs::path& file)
      : problems_(file.native()), root_(root, "the manifest", problems_) {
    manifest_.file = file;
    manifest_.folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  }

  Result<Manifest> read() {
    read_app();
    read_modules();
    for (const TomlValue* table : root_.tables("function")) read_function(*table);
    for (const TomlValue* table : root_.tables("static")) read_static(*table);
    for (const TomlValue* table : root_.tables("hook")) read_point(*table);
    read_callbacks();
    for (const auto& [key, needs] : kLaterTables) {
      root_.refuse(
          key, fmt::format("`{}` needs {}, which this build does not support yet; remove it", key,
                           needs));
    }
    root_.finish();
    const fs::path assets = manifest_.folder / "assets";
    std::error_code ignored;
    if (fs::is_directory(assets, ignored)) manifest_.assets = assets;
    if (!problems_.empty()) return std::unexpected(problems_.error());
    return std::move(manifest_);
  }

 private:
  void read_app() {
    const TomlValue* app = root_.table("app");
    if (app == nullptr) {
      if (!root_.has("app"))
        problems_.add({1, 1}, "the manifest needs [app] with `name = \"...\"`");
      return;
    }
    TableReader table(*app, "[app]", problems_);
    if (const auto name = table.required_text("name")) {
      if (!is_name(*name)) {
        table.problem("name", fmt::format("{} is no name; write {}", in_quotes(*name), kNameRule));
      }
      manifest_.app = AppName(*name);
    }
    if (const auto sync = table.text("sync")) {
      if (*sync != "always" && *sync != "interval") {
        table.problem("sync",
                      fmt::format("`sync` in [app] must be \"always\" or \"interval\", not {}",
                                  in_quotes(*sync)));
      }
      manifest_.sync = *sync == "interval" ? store::Sync::interval : store::Sync::always;
    }
    if (const auto storage = table.size("storage", {64ULL << 10, 1ULL << 50})) {
      manifest_.storage = *storage;
    }
    table.finish();
  }

  void read_modules() {
    const TomlValue* modules = root_.table("module");
    if (modules == nullptr) return;
    for (const TomlEntry& entry : modules->entries) {
      module_names_.push_back(entry.key);
      if (!is_name(entry.key)) {
        problems_.add(entry.at, fmt::format("the module's name {} must be {}", in_quotes(entry.key),
                                            kNameRule));
        continue;
      }
      if (entry.value.kind != TomlValue::Kind::table) {
        problems_.add(entry.at,
                      fmt::format("a module is a table, written [module.{}]",
                                  entry.value.kind == TomlValue::Kind::array ? entry.key : "NAME"));
        continue;
      }
      read_module(entry);
    }
  }

  void read_module(const TomlEntry& entry) {
    TableReader table(entry.value, fmt::format("[module.{}]", entry.key), problems_);
    Module module{.name = ModuleName(entry.key)};
    read_source(table, module);
    module.limits = read_limits(table, "limits", {});
    module.config = read_environment(table, "config");
    module.environment = read_environment(table, "env");
    for (const auto& [name, value] : module.environment) {
      if (std::ranges::find(module.config, name, &Pairs::value_type::first) !=
          module.config.end()) {
        table.problem("env",
                      fmt::format("{} is in `config` as well, which sets the variable already; "
                                  "remove one of them",
                                  in_quotes(name)));
      }
    }
    if (auto entrypoint = table.text("entrypoint", 256)) module.entrypoint = std::move(*entrypoint);
    if (auto argv = table.text("argv")) module.argv = std::move(*argv);
    module.reuse = table.boolean("reuse").value_or(false);
    module.grants = read_grants(table);
    if (table.boolean("stream").value_or(false) && module.grants.gated()) {
      table.problem(
          "stream",
          fmt::format("{} may write to a store, so its reply is held back until that is "
                      "durable and cannot stream; remove `stream`, or its grants to write",
                      table.where()));
    }
    table.finish();
    manifest_.modules.push_back(std::move(module));
  }

  // A file of the app, or an image in a registry, whose file is not there yet.
  void read_source(TableReader& table, Module& module) {
    if (const auto text = table.text("source"); text && text->starts_with(oci::kScheme)) {
      auto reference = oci::parse_reference(*text);
      if (reference) {
        module.image = std::move(*reference);
      } else {
        table.problem("source", reference.error().message() + "; " + reference.error().help());
      }
      return;
    }
    const auto source = inner_path(table, "source", manifest_.folder);
    if (!source) return;
    module.source = *source;
    std::error_code ignored;
    if (!fs::is_regular_file(*source, ignored)) {
      table.problem("source",
                    fmt::format("there is no file {}; build the module, or correct `source`",
                                in_quotes(source->native())));
    }
  }

  void read_function(const TomlValue& value) {
    TableReader table(value, "[[function]]", problems_);
    auto route = read_route(table);
    const auto name = table.required_text("module");
    table.finish();
    if (route) claim(*route, table.at("route"));
    if (!name) return;
    const Module* module = manifest_.module(*name);
    if (module == nullptr) {
      // A module that is there but faulty has had its own problems reported.
      if (std::ranges::find(module_names_, *name) == module_names_.end()) {
        table.problem("module", fmt::format("there is no module {}{}", in_quotes(*name),
                                            suggestion(*name, module_names_)));
      }
      return;
    }
    if (!route) return;
    const auto index = static_cast<std::size_t>(module - manifest_.modules.data());
    manifest_.functions.push_back({std::move(*route), index});
  }

  void read_static(const TomlValue& value) {
    TableReader table(value, "[[static]]", problems_);
    auto route = read_route(table);
    const auto folder = inner_path(table, "folder", manifest_.folder);
    const auto max_age = table.duration("max_age", {0s, 365 * 24h});
    table.finish();
    std::error_code ignored;
    if (folder && !fs::is_directory(*folder, ignored)) {
      const fs::path within = folder->lexically_relative(manifest_.folder);
      table.problem("folder", fmt::format("there is no folder {}; create it, or correct `folder`",
                                          in_quotes(within.native())));
    }
    if (!route) return;
    const bool plain =
        std::ranges::count(route->segments, Segment::Kind::exact, &Segment::kind) + 1 ==
        std::ssize(route->segments);
    if (!route->methods.empty() || !plain || route->segments.back().kind != Segment::Kind::rest) {
      table.problem("route",
                    "a static route is a prefix such as \"/static/*\": without methods or "
                    "parameters, with /* at its end");
      return;
    }
    route->methods = {"GET"};
    claim(*route, table.at("route"));
    if (!folder) return;
    StaticFolder& made = manifest_.statics.emplace_back(std::move(*route), *folder);
    if (max_age) made.max_age = std::chrono::duration_cast<std::chrono::seconds>(*max_age);
  }

  void read_point(const TomlValue& value) {
    HookPoint point = read_hook(value, manifest_, module_names_, problems_);
    if (std::ranges::find(manifest_.hooks, point.name, &HookPoint::name) != manifest_.hooks.end()) {
      problems_.add(value.at,
                    fmt::format("the point {} is there twice; remove one", in_quotes(point.name)));
    }
    manifest_.hooks.push_back(std::move(point));
  }

  void read_callbacks() {
    const auto tables = root_.tables("callback");
    if (tables.size() > kMostCallbacks) {
      root_.problem("callback", fmt::format("an app has at most {} callbacks", kMostCallbacks));
    }
    for (const TomlValue* value : tables) {
      Callback callback = read_callback(*value, manifest_.folder, problems_);
      if (std::ranges::find(manifest_.callbacks, callback.function, &Callback::function) !=
          manifest_.callbacks.end()) {
        problems_.add(value->at, fmt::format("the function {} is there twice; remove one",
                                             in_quotes(callback.function)));
      }
      manifest_.callbacks.push_back(std::move(callback));
    }
  }

  std::optional<Route> read_route(TableReader& table) {
    const auto text = table.required_text("route", kMaxRouteBytes);
    if (!text) return {};
    auto route = parse_route(*text, RouteRules::carrel);
    if (route) return std::move(*route);
    table.problem("route", route.error().message());
    return {};
  }

  // Two routes with the same path may not answer the same method.
  void claim(const Route& route, Position at) {
    std::string shape;
    for (const Segment& segment : route.segments) {
      shape += '/';
      switch (segment.kind) {
        case Segment::Kind::exact:
          shape += segment.text + '=';
          break;
        case Segment::Kind::parameter:
          shape += ':';
          break;
        case Segment::Kind::rest:
          shape += '*';
          break;
      }
    }
    auto& methods = claimed_[shape];
    const auto take = [&](const std::string& method) {
      const auto [other, fresh] = methods.emplace(method, at);
      if (fresh) return;
      problems_.add(
          at, fmt::format("the route {}{} is there twice, first in line {}; remove one",
                          method.empty() ? "" : method + " ", route.text, other->second.line));
    };
    if (route.methods.empty()) take("");
    for (const std::string& method : route.methods) take(method);
  }

  Manifest manifest_;
  Problems problems_;
  TableReader root_;
  std::vector<std::string_view> module_names_;
  std::map<std::string, std::map<std::string, Position>> claimed_;
};

}  // namespace

const Module* Manifest::module(std::string_view name) const {
  const auto found = std::ranges::find_if(
      modules, [&](const Module& module) { return module.name.str() == name; });
  return found == modules.end() ? nullptr : &*found;
}

std::optional<fs::path> inner_path(TableReader& table, std::string_view key,
                                   const fs::path& folder) {
  const auto text = table.required_text(key);
  if (!text) return {};
  const fs::path path = fs::path(*text).lexically_normal();
  if (path.is_absolute() || *path.begin() == "..") {
    table.problem(key,
                  fmt::format("{} is outside the app's folder; copy it into the folder and name "
                              "it relative to the manifest",
                              in_quotes(*text)));
    return {};
  }
  return folder / path;
}

Result<void> check_deployable(const Manifest& manifest) {
  for (const HookPoint& point : manifest.hooks) {
    for (const HookBinding& binding : point.bindings) {
      if (binding.tenant.empty()) continue;
      return fail(
          Code::invalid_config,
          fmt::format("\"{}\" is bound to the point \"{}\" in another tenant, which only an "
                      "app that is served from its folder can do",
                      binding.name, point.name),
          "take its `tenant` away");
    }
  }
  return {};
}

turn::Limits read_limits(TableReader& owner, std::string_view key, turn::Limits limits) {
  const TomlValue* value = owner.table(key);
  if (value == nullptr) return limits;
  TableReader table(*value, fmt::format("`{}` of {}", key, owner.where()), owner.problems());
  if (const auto memory = table.size("memory", {64ULL << 10, 4ULL << 30})) limits.memory = *memory;
  if (const auto cpu = table.duration("cpu", {1ms, 1h})) limits.cpu = *cpu;
  if (const auto time = table.duration("time", {1ms, 1h})) limits.time = *time;
  if (const auto files = table.integer("open_files", {8, 65'536})) {
    limits.open_files = static_cast<std::size_t>(*files);
  }
  if (const auto tmp = table.size("tmp", {0, 1ULL << 30})) limits.private_memory = *tmp;
  if (const auto log = table.size("log", {0, 16ULL << 20})) limits.log_bytes = *log;
  table.finish();
  return limits;
}

Pairs read_environment(TableReader& table, std::string_view key) {
  Pairs pairs = table.pairs(key);
  for (const auto& [name, value] : pairs) {
    if (!is_variable(name)) {
      table.problem(key,
                    fmt::format("{} in `{}` of {} is no name of a variable; write letters, digits "
                                "and '_'",
                                in_quotes(name), key, table.where()));
    } else if (value.find('\0') != std::string::npos) {
      table.problem(
          key, fmt::format("the value of {} contains a NUL character; remove it", in_quotes(name)));
    }
  }
  return pairs;
}

Result<Manifest> parse_manifest(std::string_view text, const fs::path& file) {
  CARREL_TRY(const TomlValue root, parse_toml(text, file.native()));
  return Reader(root, file).read();
}

Result<Manifest> load_manifest(const fs::path& where) {
  std::error_code ignored;
  const bool folder = fs::is_directory(where, ignored);
  const fs::path file = folder ? where / "carrel.toml" : where;
  auto text = read_small_file(file);
  if (!text && text.error().code() == Code::not_found) {
    return fail(Code::not_found, text.error().message(),
                "an app is a folder with a carrel.toml; `carrel new` makes one");
  }
  if (!text) return std::unexpected(std::move(text).error());
  return parse_manifest(*text, file);
}

}  // namespace carrel::app
