#include "app/wagi.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/units.h"

namespace carrel::app {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

fs::path resolve(const fs::path& folder, const std::string& path) {
  fs::path beside = folder / path;  // `path` itself if it is absolute
  std::error_code ignored;
  if (!fs::exists(beside, ignored) && fs::exists(path, ignored)) return path;
  return beside;
}

// The module's own name for logs and figures: that of its file.
std::string name_of(const fs::path& source) {
  std::string name;
  for (const char c : source.stem().native()) {
    const char low = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    name += is_name(std::string_view(&low, 1)) || low == '_' ? low : '-';
  }
  name.erase(0, std::min(name.find_first_not_of("-_"), name.size()));
  if (name.size() > 56) name.resize(56);
  return name.empty() ? "module" : name;
}

class Reader {
 public:
  Reader(const TomlValue& root, const fs::path& file)
      : problems_(file.native()), root_(root, "modules.toml", problems_) {
    manifest_.file = file;
    manifest_.folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
    manifest_.app = AppName("wagi");
    manifest_.rules = RouteRules::wagi;
  }

  Result<Manifest> read() {
    for (const TomlValue* table : root_.tables("module")) read_module(*table);
    if (!root_.has("module")) problems_.add({1, 1}, "the file needs at least one [[module]]");
    root_.finish();
    if (!problems_.empty()) return std::unexpected(problems_.error());
    return std::move(manifest_);
  }

 private:
  void read_module(const TomlValue& value) {
    TableReader table(value, "[[module]]", problems_);
    auto route = read_route(table);
    Module module{.limits = wagi_limits()};
    if (const auto source = read_source(table)) module.source = *source;
    module.name = ModuleName(free_name(name_of(module.source)));
    if (auto entrypoint = table.text("entrypoint", 256)) module.entrypoint = std::move(*entrypoint);
    if (auto argv = table.text("argv")) module.argv = std::move(*argv);
    module.environment = read_environment(table, "environment");
    read_volumes(table, module);
    read_egress(table);
    table.text("bindle_server");  // only meant for bindle: modules, which are refused
    table.finish();
    if (!route) return;
    manifest_.functions.push_back({std::move(*route), manifest_.modules.size()});
    manifest_.modules.push_back(std::move(module));
  }

  std::optional<Route> read_route(TableReader& table) {
    const auto text = table.required_text("route", kMaxRouteBytes);
    if (!text) return {};
    auto route = parse_route(*text, RouteRules::wagi);
    if (!route) {
      table.problem("route", route.error().message());
      return {};
    }
    if (*text == "/healthz") notice(table, "route", "/healthz is answered by the server itself");
    for (const Function& other : manifest_.functions) {
      if (other.route.same_path(*route)) {
        notice(table, "route",
               fmt::format("{} is there twice, only the first is used", in_quotes(*text)));
        break;
      }
    }
    return std::move(*route);
  }

  std::optional<fs::path> read_source(TableReader& table) {
    auto text = table.required_text("module");
    if (!text) return {};
    for (const std::string_view scheme : {"oci:", "bindle:", "http:", "https:"}) {
      if (text->starts_with(scheme)) {
        table.problem("module",
                      fmt::format("modules from {} are not supported yet by this build; fetch "
                                  "the module and name the file",
                                  scheme));
        return {};
      }
    }
    if (text->starts_with("file:")) {
      text->erase(0, 5);
      if (text->starts_with("//")) text->erase(0, 2);
    }
    fs::path source = resolve(manifest_.folder, *text);
    std::error_code ignored;
    if (!fs::is_regular_file(source, ignored)) {
      table.problem("module",
                    fmt::format("there is no file {}; build the module, or correct `module`",
                                in_quotes(source.native())));
      return {};
    }
    return source;
  }

  void read_volumes(TableReader& table, Module& module) {
    for (const auto& [guest, host] : table.pairs("volumes")) {
      const fs::path folder = resolve(manifest_.folder, host);
      std::string inside = fs::path("/" + guest).lexically_normal().native();
      if (inside.size() > 1 && inside.ends_with('/')) inside.pop_back();
      std::error_code ignored;
      if (guest.empty() || guest.find('\0') != std::string::npos ||
          host.find('\0') != std::string::npos) {
        table.problem("volumes", "a volume is \"/guest/path\" = \"host/folder\"");
      } else if (!fs::is_directory(folder, ignored)) {
        table.problem("volumes",
                      fmt::format("there is no folder {}; create it, or correct `volumes`",
                                  in_quotes(folder.native())));
      } else {
        module.volumes.push_back({std::move(inside), folder});
      }
    }
  }

  void read_egress(TableReader& table) {
    table.integer("http_max_concurrency", {0, 1'000'000});
    if (!table.texts("allowed_hosts").empty()) {
      notice(table, "allowed_hosts",
             "calls to the outside are not available yet in this build; the "
             "module sees them refused");
    }
  }

  void notice(const TableReader& table, std::string_view key, std::string_view what) {
    const Position at = table.at(key);
    manifest_.notices.push_back(
        fmt::format("{}:{}:{}: {}", manifest_.file.native(), at.line, at.column, what));
  }

  std::string free_name(std::string name) const {
    for (int i = 2; manifest_.module(name) != nullptr; ++i) {
      if (i > 2) name.erase(name.rfind('-'));
      name += fmt::format("-{}", i);
    }
    return name;
  }

  Manifest manifest_;
  Problems problems_;
  TableReader root_;
};

}  // namespace

turn::Limits wagi_limits() { return {.memory = 256ULL << 20, .cpu = 10s, .time = 60s}; }

Result<Manifest> parse_wagi(std::string_view text, const fs::path& file) {
  CARREL_TRY(const TomlValue root, parse_toml(text, file.native()));
  return Reader(root, file).read();
}

Result<Manifest> load_wagi(const fs::path& file) {
  CARREL_TRY(const std::string text, read_small_file(file));
  return parse_wagi(text, file);
}

}  // namespace carrel::app
