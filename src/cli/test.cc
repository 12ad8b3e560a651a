// carrel test: runs case folders and explains what differs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/case_folders.h"
#include "cli/command.h"
#include "cli/expectation.h"
#include "cli/registry_options.h"
#include "cli/scratch_folder.h"
#include "cli/state_folder.h"
#include "cli/terminal.h"
#include "cli/turn_bench.h"

namespace carrel::cli {
namespace {
namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> folders;
  std::string filter;
  std::string state;
  RegistryArguments registry;
  bool variants = false;
  bool json = false;
};

// How a case is run besides the plain way.
//   cold:      nothing compiled before
//   suspended: its body arrives byte by byte, with a wait before each; it waits for all it reads of
//              the store as well
//   tight:     so little CPU time that it may be stopped; then that must be what is said of it, and
//              nothing of it is left
enum class Variant : unsigned char { plain, cold, suspended, tight };

std::string_view name_of(Variant variant) {
  switch (variant) {
    case Variant::plain:
      return "";
    case Variant::cold:
      return "cold";
    case Variant::suspended:
      return "suspended";
    case Variant::tight:
      return "tight";
  }
  return "";
}

struct Verdict {
  std::string name;  // "shop/price-with-tax", with the variant behind it
  std::string description;
  std::vector<std::string> differences;
  Nanos wall{};
  Nanos cpu{};
  std::uint64_t memory_peak = 0;
};

bool over_a_limit(const TurnResult& result) {
  if (!result.error) return false;
  const Code code = result.error->code();
  return code == Code::guest_cpu_limit || code == Code::guest_timeout ||
         code == Code::guest_out_of_memory;
}

Result<TurnResult> run_variant(TurnBench& bench, const app::Case& test, const app::Manifest* app,
                               Variant variant) {
  TurnInput input{.module = test.module,
                  .app = app,
                  .event = test.event,
                  .before = &test.state,
                  .effects = &test.effects,
                  .calls = &test.calls};
  switch (variant) {
    case Variant::plain:
      return bench.run(input);
    case Variant::suspended:
      input.pace = BodyPace::byte_by_byte;
      input.looks = store::Reach::disk;
      return bench.run(input);
    case Variant::cold: {
      CARREL_TRY(const auto scratch, ScratchFolder::make());
      CARREL_TRY(const auto cold, TurnBench::make(scratch->path().string()));
      return cold->run(input);
    }
    case Variant::tight: {
      app::Module module = test.module;
      module.limits.cpu = std::chrono::microseconds(1);
      return bench.run({.module = module,
                        .app = app,
                        .event = test.event,
                        .before = &test.state,
                        .effects = &test.effects,
                        .calls = &test.calls});
    }
  }
  return fail(Code::internal);
}

Verdict judge(TurnBench& bench, const app::Case& test, const app::Manifest* app, Variant variant,
              std::string name) {
  Verdict verdict{.name = std::move(name), .description = test.description};
  auto result = run_variant(bench, test, app, variant);
  if (!result) {
    verdict.differences.push_back(result.error().describe());
    return verdict;
  }
  verdict.wall = result->wall;
  verdict.cpu = result->guest.cpu;
  verdict.memory_peak = result->guest.memory_peak;
  verdict.differences = result->unexpected_calls;
  if (variant == Variant::tight && over_a_limit(*result)) {
    std::ranges::move(differences(app::unchanged(test.effects, test.state), result->after),
                      std::back_inserter(verdict.differences));
    return verdict;
  }
  std::ranges::move(result->missing_calls, std::back_inserter(verdict.differences));
  std::ranges::move(differences(test.expect, *result), std::back_inserter(verdict.differences));
  std::ranges::move(differences(test.effects, result->after),
                    std::back_inserter(verdict.differences));
  return verdict;
}

// There is something that can come late.
bool waits(const app::Case& test) { return test.event.body || test.module.grants.any(); }

class Tester {
 public:
  Tester(const Options& options, TurnBench& bench)
      : options_(options), bench_(bench), palette_(Stream::output) {}

  void run(const CaseFolder& found) {
    const std::string name = name_of_case(found);
    if (name.find(options_.filter) == std::string::npos) return;
    const app::Manifest* app = nullptr;
    if (found.app) {
      const auto& manifest = manifest_of(*found.app);
      if (!manifest) return add({.name = name, .differences = {manifest.error().describe()}});
      app = &*manifest;
    }
    const auto test = app::load_case(found.folder, app);
    if (!test) return add({.name = name, .differences = {test.error().describe()}});
    add(judge(bench_, *test, app, Variant::plain, name));
    if (!options_.variants) return;
    for (const Variant variant : {Variant::cold, Variant::suspended, Variant::tight}) {
      if (variant == Variant::suspended && !waits(*test)) continue;
      add(judge(bench_, *test, app, variant, fmt::format("{} [{}]", name, name_of(variant))));
    }
  }

  int finish() {
    if (passed_ + failed_ == 0) {
      return report_usage("test", fmt::format("no case's name contains \"{}\"", options_.filter),
                          "leave out --filter to see all");
    }
    if (options_.json) {
      const nlohmann::ordered_json all{
          {"passed", passed_}, {"failed", failed_}, {"cases", std::move(cases_)}};
      print(all.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
    } else {
      print(palette_.paint(failed_ > 0 ? Colour::red : Colour::green,
                           fmt::format("{} passed, {} failed", passed_, failed_)) +
            "\n");
    }
    return failed_ > 0 ? kFailure : kOk;
  }

 private:
  static std::string name_of_case(const CaseFolder& found) {
    const std::string own = app::folder_name(found.folder);
    return found.app ? app::folder_name(*found.app) + "/" + own : own;
  }

  const Result<app::Manifest>& manifest_of(const fs::path& folder) {
    const auto known = manifests_.find(folder);
    if (known != manifests_.end()) return known->second;
    return manifests_.emplace(folder, load_app(folder, options_.registry, options_.state))
        .first->second;
  }

  void add(const Verdict& verdict) {
    const bool ok = verdict.differences.empty();
    ++(ok ? passed_ : failed_);
    if (options_.json) {
      cases_.push_back(
          {{"name", verdict.name},
           {"passed", ok},
           {"differences", verdict.differences},
           {"wall_us", std::chrono::duration_cast<std::chrono::microseconds>(verdict.wall).count()},
           {"cpu_us", std::chrono::duration_cast<std::chrono::microseconds>(verdict.cpu).count()},
           {"memory_peak_bytes", verdict.memory_peak}});
      return;
    }
    const double ms = std::chrono::duration<double, std::milli>(verdict.wall).count();
    print(fmt::format(
        "{}  {}  ({:.1f} ms)\n",
        ok ? palette_.paint(Colour::green, "ok  ") : palette_.paint(Colour::red, "FAIL"),
        verdict.name, ms));
    if (ok) return;
    if (!verdict.description.empty()) print(fmt::format("      {}\n", verdict.description));
    for (const std::string& difference : verdict.differences) print(explained(difference));
  }

  std::string explained(std::string_view difference) const {
    std::string text;
    while (!difference.empty()) {
      const auto end = difference.find('\n');
      const std::string_view line = difference.substr(0, end);
      const Colour colour = line.starts_with("- ")   ? Colour::red
                            : line.starts_with("+ ") ? Colour::green
                                                     : Colour::plain;
      text += "      " + palette_.paint(colour, line) + "\n";
      difference.remove_prefix(end == std::string_view::npos ? difference.size() : end + 1);
    }
    return text;
  }

  const Options& options_;
  TurnBench& bench_;
  Palette palette_;
  std::map<fs::path, Result<app::Manifest>> manifests_;
  nlohmann::ordered_json cases_ = nlohmann::ordered_json::array();
  std::size_t passed_ = 0;
  std::size_t failed_ = 0;
};

int test(Options& options) {
  if (options.folders.empty()) options.folders.emplace_back(".");
  std::vector<CaseFolder> cases;
  for (const std::string& folder : options.folders) {
    auto found = find_cases(folder);
    if (!found) return report(found.error());
    cases.insert(cases.end(), found->begin(), found->end());
  }
  auto bench = TurnBench::make(options.state);
  if (!bench) return report(bench.error());
  Tester tester(options, **bench);
  for (const CaseFolder& each : cases) tester.run(each);
  return tester.finish();
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("FOLDER", options->folders);
  app.add_option("--filter", options->filter, "Only cases whose name (APP/CASE) contains this")
      ->type_name("TEXT");
  app.add_flag("--variants", options->variants,
               "Run each case again with cold code, with its body arriving byte by byte\n"
               "and each read of the store waiting, and with almost no CPU time");
  app.add_flag("--json", options->json, "As JSON");
  add_state_option(app, options->state);
  add_source_options(app, options->registry);
  return [options] { return test(*options); };
}

}  // namespace

extern const Command kTest;
const Command kTest{
    .name = "test",
    .group = Group::develop,
    .summary = "Run test cases: an event each, and the expected reply",
    .usage = "[OPTIONS] [FOLDER]...",
    .details =
        "FOLDER is an app (its cases are tests/*/case.toml), a case, or a folder above such; without it, the\n"
        "current folder. In a difference, - is what was expected and + what came.",
    .examples =
        "carrel test .\n"
        "carrel test examples/shop --filter price\n"
        "carrel test --variants tests/conformance\n",
    .add = add,
};

}  // namespace carrel::cli
