#include "app/case.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "app/units.h"

namespace carrel::app {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxText = 1 << 20;
constexpr std::uintmax_t kMaxBody = 32ULL << 20;
constexpr std::size_t kMaxTarget = 16 << 10;

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= 256 && std::ranges::all_of(text, [](char c) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return alphanumeric || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_one_line(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

bool is_file_name(std::string_view module) {
  return module.ends_with(".wasm") || module.ends_with(".wat");
}

class Reader {
 public:
  Reader(const TomlValue& root, const fs::path& file, const Manifest* app)
      : problems_(file.native()), root_(root, "case.toml", problems_), app_(app) {
    case_.folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
    case_.name = folder_name(case_.folder);
  }

  Result<Case> read() {
    read_part("case", &Reader::read_case);
    read_part("event", &Reader::read_event);
    read_part("expect", &Reader::read_expect);
    read_table("state", &Reader::read_state_before);
    read_table("effects", &Reader::read_effects_after);
    for (const TomlValue* value : root_.tables("http")) {
      TableReader table(*value, "[[http]]", problems_);
      case_.calls.push_back(read_call(table));
    }
    root_.finish();
    if (!problems_.empty()) return std::unexpected(problems_.error());
    return std::move(case_);
  }

 private:
  void read_part(std::string_view key, void (Reader::*read)(TableReader&)) {
    if (!root_.has(key)) problems_.add({1, 1}, fmt::format("a case needs [{}]", key));
    read_table(key, read);
  }

  void read_table(std::string_view key, void (Reader::*read)(TableReader&)) {
    const TomlValue* value = root_.table(key);
    if (value == nullptr) return;
    TableReader table(*value, fmt::format("[{}]", key), problems_);
    (this->*read)(table);
    table.finish();
  }

  void read_case(TableReader& table) {
    case_.description = table.text("description").value_or("");
    if (!table.has("module") && app_ != nullptr && app_->modules.size() == 1) {
      table.text("module");
      case_.module = app_->modules.front();
    } else if (const auto name = table.required_text("module")) {
      find_module(table, *name);
    }
    Module& module = case_.module;
    if (auto argv = table.text("argv")) module.argv = std::move(*argv);
    if (auto entrypoint = table.text("entrypoint", 256)) module.entrypoint = std::move(*entrypoint);
    replace(module.config, read_environment(table, "config"));
    replace(module.environment, read_environment(table, "env"));
    module.limits = read_limits(table, "limits", module.limits);
  }

  void find_module(TableReader& table, const std::string& name) {
    if (is_file_name(name)) {
      case_.module.source = case_.folder / name;
      case_.module.name = ModuleName(case_.module.source.stem().native());
      std::error_code ignored;
      if (!fs::is_regular_file(case_.module.source, ignored)) {
        table.problem("module", fmt::format("there is no file {}; build it, or correct `module`",
                                            in_quotes(case_.module.source.native())));
      }
      return;
    }
    if (app_ == nullptr) {
      table.problem("module",
                    fmt::format("{} is a module of an app, and there is no carrel.toml here; "
                                "name a .wasm or .wat file beside case.toml",
                                in_quotes(name)));
    } else if (const Module* module = app_->module(name); module != nullptr) {
      case_.module = *module;
    } else {
      std::vector<std::string_view> names;
      names.reserve(app_->modules.size());
      for (const Module& known : app_->modules) names.push_back(known.name.str());
      table.problem("module", fmt::format("the app has no module {}{}", in_quotes(name),
                                          suggestion(name, names)));
    }
  }

  static void replace(Pairs& pairs, Pairs changes) {
    for (auto& change : changes) {
      std::erase_if(pairs, [&](const auto& old) { return old.first == change.first; });
      pairs.push_back(std::move(change));
    }
  }

  void read_event(TableReader& table) {
    CaseEvent& event = case_.event;
    const bool http = table.has("method") || table.has("path");
    if (http && table.has("type")) {
      table.problem("type", "an event is a request (`method`, `path`) or has a `type`, not both");
    } else if (!http && !table.has("type")) {
      table.problem("path", "[event] needs `path = \"/...\"` for a request, or `type = \"...\"`");
    }
    event.kind = http ? CaseEvent::Kind::http : CaseEvent::Kind::other;
    read_request(table, http);
    for (const auto& [key, into] :
         {std::pair{"type", &event.type}, std::pair{"source", &event.source},
          std::pair{"subject", &event.subject}, std::pair{"id", &event.id}}) {
      if (auto value = table.text(key)) *into = std::move(*value);
    }
    if (const auto time = table.text("time")) {
      event.time = parse_time(*time);
      if (!event.time) {
        table.problem("time", fmt::format("{} is no time; write it as \"2026-01-02T03:04:05Z\"",
                                          in_quotes(*time)));
      }
    }
    event.attributes = table.pairs("attributes");
    for (const auto& [name, value] : event.attributes) {
      if (!std::ranges::all_of(
              name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }) ||
          name.empty() || name.size() > 64) {
        table.problem("attributes",
                      fmt::format("the attribute {} must be a-z and 0-9", in_quotes(name)));
      }
    }
    event.body = read_body(table);
  }

  void read_request(TableReader& table, bool http) {
    CaseEvent& event = case_.event;
    if (auto method = table.text("method", 32)) {
      if (!is_token(*method))
        table.problem("method", fmt::format("{} is no method", in_quotes(*method)));
      event.method = std::move(*method);
    }
    if (auto path = table.text("path", kMaxTarget)) {
      if (!path->starts_with('/') || !std::ranges::all_of(*path, [](char c) {
            return static_cast<unsigned char>(c) > 0x20 && c != 0x7F && c != '#';
          })) {
        table.problem("path",
                      fmt::format("the path {} must begin with '/' and have spaces and control "
                                  "characters percent-encoded",
                                  in_quotes(*path)));
      }
      event.path = std::move(*path);
    } else if (http && !table.has("path")) {
      table.problem("path", "[event] needs `path = \"/...\"`");
    }
    event.headers = read_headers(table);
  }

  Pairs read_headers(TableReader& table) {
    Pairs headers = table.pairs("headers");
    for (const auto& [name, value] : headers) {
      if (!is_token(name) || !is_one_line(value)) {
        table.problem("headers", fmt::format("{} is no header of one line", in_quotes(name)));
      }
    }
    return headers;
  }

  void read_expect(TableReader& table) {
    CaseExpectation& expect = case_.expect;
    const bool http = case_.event.kind == CaseEvent::Kind::http;
    if (const auto status = table.integer("status", {100, 599}))
      expect.status = static_cast<int>(*status);
    if (const auto exit = table.integer("exit", {0, 255})) expect.exit = static_cast<int>(*exit);
    expect.headers = read_headers(table);
    expect.body = read_body(table);
    expect.body_contains = table.texts("body_contains", kMaxText);
    expect.body_json = table.text("body_json", kMaxText);
    expect.stdout_text = table.text("stdout", kMaxText);
    expect.stdout_contains = table.texts("stdout_contains", kMaxText);
    expect.stderr_contains = table.texts("stderr_contains", kMaxText);
    for (const std::string_view key : {"status", "headers"}) {
      if (!http && table.has(key)) table.problem(key, fmt::format("only a request has `{}`", key));
    }
    for (const std::string_view key : {"stdout", "stdout_contains"}) {
      if (http && table.has(key)) {
        table.problem(
            key, fmt::format("a request's `{}` is its reply; use `body` or `body_contains`", key));
      }
    }
    if (nothing_expected(expect)) table.problem("status", "[expect] must expect something");
  }

  void read_state_before(TableReader& table) { case_.state = read_state(table, case_.folder); }
  void read_effects_after(TableReader& table) {
    case_.effects = read_effects(table, case_.folder);
    if (case_.effects.empty()) table.problem("kv", "[effects] must expect something");
  }

  static bool nothing_expected(const CaseExpectation& expect) {
    return !expect.status && !expect.exit && !expect.body && !expect.body_json &&
           !expect.stdout_text && expect.headers.empty() && expect.body_contains.empty() &&
           expect.stdout_contains.empty() && expect.stderr_contains.empty();
  }

  std::optional<std::string> read_body(TableReader& table) {
    auto body = table.bytes("body", kMaxText);
    const auto name = table.text("body_file");
    if (!name) return body;
    if (body)
      table.problem("body_file", fmt::format("{} has both `body` and `body_file`", table.where()));
    const fs::path file = case_.folder / *name;
    std::error_code error;
    const auto size = fs::is_regular_file(file, error) ? fs::file_size(file, error) : kMaxBody + 1;
    if (error || size > kMaxBody) {
      table.problem("body_file",
                    fmt::format("{} is no file, or one over 32 MiB", in_quotes(file.native())));
      return {};
    }
    std::string bytes(size, '\0');
    std::ifstream in(file, std::ios::binary);
    in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (static_cast<std::uintmax_t>(in.gcount()) != size) {
      table.problem("body_file", fmt::format("cannot read {}", in_quotes(file.native())));
    }
    return bytes;
  }

  Case case_;
  Problems problems_;
  TableReader root_;
  const Manifest* app_;
};

}  // namespace

std::optional<WallTime> parse_time(std::string_view text) {
  std::tm parts{};
  const std::string whole(text);
  const char* end = ::strptime(whole.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  if (end == nullptr || *end != '\0') return {};
  const auto time = std::chrono::system_clock::from_time_t(::timegm(&parts));
  // Written back it must be the same: there is no 30th of February, and no other spelling.
  if (time.time_since_epoch().count() < 0 || time_text(time) != text) return {};
  return time;
}

std::string time_text(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string folder_name(const fs::path& folder) {
  std::error_code error;
  const fs::path path = fs::absolute(folder, error).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).filename().native();
}

Result<Case> parse_case(std::string_view text, const fs::path& file, const Manifest* app) {
  CARREL_TRY(const TomlValue root, parse_toml(text, file.native()));
  return Reader(root, file, app).read();
}

Result<Case> load_case(const fs::path& folder, const Manifest* app) {
  const fs::path file = folder / "case.toml";
  CARREL_TRY(const std::string text, read_small_file(file));
  return parse_case(text, file, app);
}

}  // namespace carrel::app
