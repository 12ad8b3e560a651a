// carrel run: a command module as a program of the shell.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>

#include "app/problems.h"
#include "app/units.h"
#include "base/digest.h"
#include "base/files.h"
#include "capability/folder/folder.h"
#include "cli/engine_room.h"
#include "cli/program.h"
#include "cli/run_options.h"
#include "cli/standard_streams.h"
#include "cli/state_folder.h"
#include "cli/terminal.h"
#include "wasi/wasi.h"
#include "wasm/component_instance.h"
#include "wasm/instance.h"

namespace carrel::cli {
namespace {

constexpr int kTrapped = 134;   // as a shell says of a program that aborted
constexpr int kTimedOut = 124;  // as timeout(1) says
constexpr std::uint64_t kMaxModule = 64ULL << 20;

struct Options {
  std::vector<std::string> command;  // the module and its arguments
  std::vector<std::string> variables;
  std::vector<std::string> folders;
  std::string entrypoint = "_start";
  std::string memory;
  std::string cpu;
  std::string time;
  std::string state;
  bool stats = false;
};

Result<wasm::CallLimits> limits_of(const Options& options) {
  wasm::CallLimits limits{.memory = 4ULL << 30, .cpu = Nanos::max() / 2};
  if (!options.memory.empty()) {
    const auto memory = app::parse_size(options.memory);
    if (!memory)
      return fail(Code::invalid_argument, "--memory is not a size", "write it like 64MiB or 1GiB");
    limits.memory = *memory;
  }
  const auto duration = [](const std::string& text, std::string_view option) -> Result<Nanos> {
    if (const auto parsed = app::parse_duration(text)) return *parsed;
    return fail(Code::invalid_argument, fmt::format("{} is not a duration", option),
                "write it like 500ms or 10s");
  };
  if (!options.cpu.empty()) {
    CARREL_TRY(limits.cpu, duration(options.cpu, "--cpu"));
  }
  if (!options.time.empty()) {
    CARREL_TRY(const Nanos time, duration(options.time, "--time"));
    limits.deadline = std::chrono::steady_clock::now() + time;
  }
  return limits;
}

Result<void> mount_folders(const std::vector<std::string>& texts, wasi::Environment& environment) {
  for (const std::string& text : texts) {
    CARREL_TRY(const FolderGrant grant, parse_folder_grant(text));
    for (const wasi::Preopen& earlier : environment.preopens) {
      if (earlier.path == grant.place) {
        return fail(Code::invalid_argument, fmt::format("--dir: two folders at {}", grant.place),
                    "give each a place of its own: --dir HOST::GUEST");
      }
    }
    using capability::folder::Access;
    CARREL_TRY(auto node,
               capability::folder::mount(grant.host, grant.access == FolderAccess::read_only
                                                         ? Access::read_only
                                                         : Access::read_write));
    environment.tree->mount(grant.place, std::move(node));
    environment.preopens.push_back({.name = grant.name, .path = grant.place});
  }
  return {};
}

Result<wasi::Environment> environment_of(const Options& options, async::Shard& shard) {
  wasi::Environment environment;
  for (const std::string& argument : options.command) environment.arguments->add(argument);
  for (const std::string& text : options.variables) {
    CARREL_TRY(const auto variable, parse_variable(text));
    if (variable) environment.variables->add(*variable);
  }
  CARREL_TRY_VOID(mount_folders(options.folders, environment));
  environment.standard_in = open_stream(shard, STDIN_FILENO, StreamUse::input);
  environment.standard_out = open_stream(shard, STDOUT_FILENO, StreamUse::output);
  environment.standard_error = open_stream(shard, STDERR_FILENO, StreamUse::output);
  return environment;
}

Result<std::shared_ptr<const wasm::Module>> load(const EngineRoom& room, const std::string& file) {
  auto read = read_file(file, kMaxModule);
  if (!read)
    return std::unexpected(std::move(read).error().within(fmt::format("cannot run {}", file)));
  const std::string digest = sha256_hex(*read);
  if (auto module = room.cache->find(digest)) return module;
  auto compiled = room.cache->compile(digest, std::as_bytes(std::span(read->data(), read->size())));
  if (!compiled)
    return std::unexpected(std::move(compiled).error().within(fmt::format("cannot run {}", file)));
  return compiled;
}

Result<void> check_entrypoint(const wasm::Module& module, const Options& options) {
  if (module.is_component()) {
    for (const wasm::ExportName& item : module.exports()) {
      for (const std::string_view command : wasm::kCommandExports) {
        if (item.name.starts_with(command)) return {};
      }
    }
    return fail(Code::unknown_abi,
                fmt::format("{} is a component that is no command: it exports no wasi:cli/run",
                            options.command.front()),
                "`carrel inspect FILE` shows its world; `carrel dev` serves one of wasi:http");
  }
  for (const wasm::ExportName& item : module.exports()) {
    if (item.name != options.entrypoint) continue;
    if (item.type.starts_with("func ()") && item.type.find("->") == std::string::npos) return {};
    return fail(Code::invalid_argument,
                fmt::format("{} cannot be called from here: it is {}", app::in_quotes(item.name),
                            item.type),
                "only functions without operands and results can");
  }
  return fail(Code::unknown_abi,
              fmt::format("{} exports no function {}", options.command.front(),
                          app::in_quotes(options.entrypoint)),
              "`carrel inspect FILE` shows what it exports; --invoke names another");
}

// What host functions find through `Call::state()`.
struct State {
  wasi::Wasi* wasi;
};

async::Task<void> call(async::Shard& shard, const wasm::Prepared& module,
                       wasi::Environment environment, wasm::CallLimits limits,
                       std::string entrypoint, wasm::Outcome* outcome) {
  wasi::Wasi wasi(shard, system_clock(), std::move(environment));
  State state{.wasi = &wasi};
  async::RunAccount account;
  if (module.component() != nullptr) {
    wasm::ComponentInstance instance(shard, account, module, &state, limits);
    *outcome = co_await instance.run();
  } else {
    wasm::Instance instance(shard, account, module, &state, limits);
    *outcome = co_await instance.run(entrypoint);
  }
  (void)wasi.close_all();
}

std::string frames_of(const wasm::Outcome& outcome) {
  std::string text;
  for (const wasm::Frame& frame : outcome.frames) {
    text += fmt::format("    at {} (+{:#x})\n",
                        frame.function.empty() ? "<unnamed>" : frame.function, frame.offset);
  }
  return text;
}

std::string milliseconds(Nanos duration) {
  return fmt::format("{:.3f} ms", std::chrono::duration<double, std::milli>(duration).count());
}

// A status that would be cut to 0 must not look like success.
int exit_status(std::uint32_t code) {
  const int status = static_cast<int>(code & 0xff);
  return status == 0 && code != 0 ? kFailure : status;
}

int status_of(const wasm::Outcome& outcome) {
  using End = wasm::Outcome::End;
  switch (outcome.end) {
    case End::returned:
      return kOk;
    case End::exited:
      return exit_status(outcome.exit_code);
    case End::trapped:
    case End::aborted:
      print_error(
          fmt::format("carrel: the guest trapped: {}\n{}", outcome.trap, frames_of(outcome)));
      return kTrapped;
    case End::refused:
    case End::bad_reply:
    case End::bad_request:
      print_error(fmt::format("carrel: the module cannot be started: {}\n{}", outcome.trap,
                              frames_of(outcome)));
      return kFailure;
    case End::cpu_limit:
      print_error(
          fmt::format("carrel: stopped after {} of CPU time\n  help   --cpu sets the limit\n",
                      milliseconds(outcome.cpu)));
      return kTimedOut;
    case End::deadline:
      print_error("carrel: stopped at its deadline\n  help   --time sets the limit\n");
      return kTimedOut;
  }
  return kFailure;
}

Result<std::unique_ptr<wasm::Linker>> linker_for(const wasm::Module& module,
                                                 const std::shared_ptr<wasm::Engine>& engine) {
  if (!module.is_component()) return wasm::Linker::make(engine, wasi::imports());
  return wasm::Linker::make_for_components(engine, wasm::World::command, wasi::imports());
}

Result<int> run_module(const Options& options) {
  CARREL_TRY(const EngineRoom room, open_engine_room(options.state, shell_settings()));
  CARREL_TRY(auto module, load(room, options.command.front()));
  CARREL_TRY_VOID(check_entrypoint(*module, options));
  CARREL_TRY(const auto linker, linker_for(*module, room.engine));
  auto prepared = linker->prepare(std::move(module));
  if (!prepared) {
    return std::unexpected(
        std::move(prepared).error().within(fmt::format("cannot run {}", options.command.front())));
  }
  async::Shard shard;
  CARREL_TRY(wasi::Environment environment, environment_of(options, shard));
  CARREL_TRY(const wasm::CallLimits limits, limits_of(options));

  const auto started = std::chrono::steady_clock::now();
  wasm::Outcome outcome;
  shard.run_until_done(
      call(shard, **prepared, std::move(environment), limits, options.entrypoint, &outcome));
  if (options.stats) {
    print_error(fmt::format("carrel: memory {}, CPU {}, time {}\n",
                            app::size_text(outcome.memory_peak), milliseconds(outcome.cpu),
                            milliseconds(std::chrono::steady_clock::now() - started)));
  }
  return status_of(outcome);
}

int run(Options& options, const CLI::App& app) {
  options.command = app.remaining();
  if (!options.command.empty() && options.command.front() == "--")
    options.command.erase(options.command.begin());
  else if (!options.command.empty() && options.command.front().starts_with('-') &&
           options.command.front() != "-") {
    std::vector<std::string> known;
    for (const CLI::Option* option : app.get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
    return unknown_option("run", options.command.front(), known);
  }
  if (options.command.empty()) return report_usage("run", "a MODULE is needed", "carrel help run");
  const auto status = run_module(options);
  if (status) return *status;
  report(status.error());
  return status.error().code() == Code::invalid_argument ? kUsage : kFailure;
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.prefix_command();  // what follows the module belongs to the guest, options too
  app.add_option("--env", options->variables, "A variable for the guest; NAME alone passes on ours")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("--dir", options->folders,
                 "A folder of this machine that the guest sees as GUEST; with :ro it cannot\n"
                 "change it. HOST alone: under its own name. Nothing outside it can be reached")
      ->type_name("HOST::GUEST[:ro]")
      ->allow_extra_args(false);
  app.add_option("--invoke,--entrypoint", options->entrypoint, "Call this export instead of _start")
      ->type_name("NAME");
  app.add_option("--memory", options->memory, "Most linear memory (default 4GiB)")
      ->type_name("SIZE");
  app.add_option("--time", options->time, "Most wall time, such as 10s (default: no limit)")
      ->type_name("DURATION");
  app.add_option("--cpu", options->cpu, "Most CPU time, such as 500ms (default: no limit)")
      ->type_name("DURATION");
  app.add_flag("--stats", options->stats,
               "At the end say memory, CPU and wall time on standard error");
  add_state_option(app, options->state);
  return [options, &app] { return run(*options, app); };
}

}  // namespace

extern const Command kRun;
const Command kRun{
    .name = "run",
    .group = Group::develop,
    .summary = "Run a command module, as a shell runs a program",
    .usage = "[OPTIONS] MODULE [ARGUMENT]...",
    .details =
        "MODULE is a WebAssembly file, binary or text, for WASI preview 1, or a component of\n"
        "wasi:cli/command. Options come before it; what follows it belongs to the guest. Standard streams are\n"
        "connected. The guest sees no variable and no file except those given here. The exit status is the\n"
        "guest's; 134 when it trapped, 124 at a limit.",
    .examples =
        "carrel run hello.wasm one two\n"
        "carrel run --dir .::/data:ro --env LANG=C wc.wasm /data/text.txt\n"
        "cat numbers | carrel run --time 5s --memory 64MiB sum.wat\n",
    .add = add,
};

}  // namespace carrel::cli
