// carrel new: a folder with an app that works, in the language asked for.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>

#include "app/problems.h"
#include "app/units.h"
#include "base/result.h"
#include "cli/command.h"
#include "cli/templates.h"
#include "cli/terminal.h"
#include "cli/toolchains.h"
#include "observe/json_line.h"

namespace carrel::cli {
namespace fs = std::filesystem;
namespace {

struct Options {
  std::string name;
  std::string language;
  bool list = false;
  bool json = false;
};

const Toolchain* toolchain_of(std::string_view language) {
  for (const Toolchain& toolchain : toolchains()) {
    if (toolchain.language == language) return &toolchain;
  }
  return nullptr;
}

std::string names_of_templates() {
  std::string names;
  for (const Template& each : templates())
    names += (names.empty() ? "" : ", ") + std::string(each.name);
  return names;
}

int list_templates(const Options& options) {
  std::string json;
  for (const Template& each : templates()) {
    const Toolchain* toolchain = toolchain_of(each.name);
    const Found found = toolchain != nullptr ? look_for(*toolchain) : Found{};
    if (options.json) {
      observe::JsonLine line;
      line.add("name", each.name)
          .add("toolchain", found.usable ? "found" : "missing")
          .add("detail", found.what);
      if (!found.usable && toolchain != nullptr) line.add("help", toolchain->get);
      json += (json.empty() ? "" : ",") + line.finish();
    } else {
      print(fmt::format("{:<16}{}{}\n", each.name,
                        found.usable ? "" : "cannot be built here: ", found.what));
    }
  }
  if (options.json) print(fmt::format("[{}]\n", json));
  return kOk;
}

std::string filled_in(std::string_view text, std::string_view name) {
  constexpr std::string_view kMark = "{{name}}";
  std::string out;
  for (;;) {
    const auto at = text.find(kMark);
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    out += name;
    text.remove_prefix(at + kMark.size());
  }
}

Result<void> write_file(const fs::path& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) return fail(Code::io, fmt::format("cannot write {}", path.string()));
  if (path.extension() == ".sh" && ::chmod(path.c_str(), 0755) != 0) {
    return fail(Code::io, fmt::format("cannot make {} executable", path.string()));
  }
  return {};
}

Result<void> check_target(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(folder, error);
  if (!fs::exists(status)) return {};
  const bool empty = fs::is_directory(folder, error) && fs::is_empty(folder, error);
  if (empty && !error) return {};
  return fail(Code::already_exists,
              fmt::format("{} is there already and not an empty folder", folder.string()),
              "choose another name, or remove it first");
}

std::string next_steps(const fs::path& folder, const Toolchain* toolchain) {
  std::string text =
      fmt::format("made {}\n\nnext:\n  cd {}\n  ./build.sh\n  carrel test .\n  carrel dev .\n",
                  folder.string(), folder.string());
  if (toolchain == nullptr) return text;
  const Found found = look_for(*toolchain);
  if (!found.usable) {
    text += fmt::format("\nto build it you still need a toolchain for {}: {}\n  help   {}\n",
                        toolchain->label, found.what, toolchain->get);
  }
  return text;
}

int make(const Options& options) {
  if (options.list) return list_templates(options);
  if (options.name.empty())
    return report_usage("new", "a NAME is needed", "carrel new hello --template c");
  const fs::path folder = fs::path(options.name).lexically_normal();
  const std::string name =
      (folder.has_filename() ? folder : folder.parent_path()).filename().string();
  if (!app::is_name(name)) {
    return report_usage("new", fmt::format("{} cannot be an app's name", app::in_quotes(name)),
                        std::string(app::kNameRule));
  }
  if (options.language.empty()) {
    return report_usage("new", "a --template is needed",
                        fmt::format("templates: {}", names_of_templates()));
  }
  const Template* chosen = nullptr;
  std::vector<std::string_view> known;
  for (const Template& each : templates()) {
    known.push_back(each.name);
    if (each.name == options.language) chosen = &each;
  }
  if (chosen == nullptr) {
    return report_usage("new",
                        fmt::format("there is no template {}{}", app::in_quotes(options.language),
                                    app::suggestion(options.language, known)),
                        "carrel new --list shows the templates");
  }
  if (auto checked = check_target(folder); !checked) return report(checked.error());
  for (const TemplateFile& file : chosen->files) {
    if (auto written = write_file(folder / file.path, filled_in(file.text, name)); !written) {
      return report(written.error());
    }
  }
  if (options.json) {
    observe::JsonLine line;
    print(line.add("folder", folder.string()).add("template", chosen->name).finish() + "\n");
  } else {
    print(next_steps(folder, toolchain_of(chosen->name)));
  }
  return kOk;
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("NAME", options->name);
  app.add_option("-t,--template", options->language, "Which language; --list shows them")
      ->type_name("LANGUAGE");
  app.add_flag("--list", options->list,
               "List the templates, and whether this machine can build them");
  app.add_flag("--json", options->json, "As JSON");
  return [options] { return make(*options); };
}

}  // namespace

extern const Command kNew;
const Command kNew{
    .name = "new",
    .group = Group::develop,
    .summary = "Make a folder with a working function",
    .usage = "NAME --template LANGUAGE",
    .details =
        "NAME is a folder that does not exist yet or is empty; its last part becomes the app's name.\n"
        "The folder has a manifest (carrel.toml), a build script, the source and test cases.",
    .examples =
        "carrel new hello --template rust\n"
        "carrel new --list                  # templates, and which can be built here\n",
    .add = add,
};

}  // namespace carrel::cli
