#include "server/wagi_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "app/problems.h"
#include "runtime/runtime.h"

namespace carrel::server {
namespace {

constexpr std::string_view kExport = "_routes";
constexpr std::size_t kMaxOutput = 64 << 10;  // bytes

struct Declared {
  std::string path;
  std::string entrypoint;
};

// What `_routes` prints, up to a bound.
class Output final : public net::ReplySink {
 public:
  bool started() const override { return started_; }
  async::Task<Result<void>> send(net::ReplyHead, std::string_view body) override {
    co_return take(body);
  }
  async::Task<Result<void>> start(net::ReplyHead, std::optional<std::uint64_t>) override {
    co_return take({});
  }
  async::Task<Result<void>> write(std::string_view bytes) override { co_return take(bytes); }
  async::Task<Result<void>> finish() override { co_return Result<void>(); }
  void abort() override {}

  const std::string& text() const { return text_; }

 private:
  Result<void> take(std::string_view bytes) {
    started_ = true;
    if (bytes.size() > kMaxOutput - text_.size()) {
      return fail(Code::guest_bad_reply,
                  fmt::format("it printed more than {} bytes of routes", kMaxOutput));
    }
    text_ += bytes;
    return {};
  }

  std::string text_;
  bool started_ = false;
};

async::Task<void> run_turn(runtime::Runtime* runtime,
                           std::shared_ptr<const runtime::Program> program, turn::Turn* turn,
                           std::optional<Error>* error) {
  turn::Outcome outcome = co_await runtime->run(std::move(program), *turn);
  *error = std::move(outcome.error);
}

Result<std::string> ask(const function::Function& module, runtime::Loader& loader,
                        turn::GuestLog& guest_log, const Clock& clock) {
  turn::ModuleSetup setup = module.module;
  setup.entrypoint = kExport;
  turn::Event event{.id = "routes",
                    .source = "carrel",
                    .type = "carrel.routes",
                    .subject = setup.name.str(),
                    .time = clock.wall()};
  Output output;
  turn::Turn turn{.id = 0, .module = setup, .event = event, .reply = output, .log = guest_log};
  std::optional<Error> error;
  async::Shard shard;
  const turn::Services none;
  runtime::Runtime runtime(shard, loader, {}, none);
  shard.run_until_done(run_turn(&runtime, module.program, &turn, &error));
  if (error) return std::unexpected(std::move(*error));
  return output.text();
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// The last line first.
Result<std::vector<Declared>> parse(std::string_view text) {
  std::vector<Declared> declared;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) continue;
    const std::size_t space = line.find_first_of(" \t");
    const std::string_view entrypoint =
        space == std::string_view::npos ? "" : trimmed(line.substr(space));
    if (!line.starts_with('/') || entrypoint.empty() || declared.size() == kMaxDeclared) {
      return fail(Code::invalid_config,
                  fmt::format("{} is not \"/path entrypoint\", or there are more than {} lines",
                              app::in_quotes(line), kMaxDeclared));
    }
    declared.push_back({std::string(line.substr(0, space)), std::string(entrypoint)});
  }
  std::ranges::reverse(declared);
  return declared;
}

// "/x/..." and "/y" are "/x/y".
std::string below(std::string_view parent, std::string_view path) {
  if (parent.ends_with("/...")) parent.remove_suffix(4);
  if (parent.ends_with('/')) parent.remove_suffix(1);
  return std::string(parent) + std::string(path);
}

bool exports_function(const runtime::Program& program, runtime::Loader& loader,
                      std::string_view name) {
  const auto module = loader.load_now(program);
  if (!module) return false;
  const auto exports = (*module)->exports();
  return std::ranges::any_of(exports, [name](const wasm::ExportName& each) {
    return each.name == name && each.type.starts_with("func");
  });
}

}  // namespace

Result<void> add_declared_routes(app::Manifest& manifest, std::vector<function::Function>& modules,
                                 runtime::Loader& loader, turn::GuestLog& guest_log,
                                 const Clock& clock) {
  std::vector<app::Function> all;
  for (const app::Function& parent : manifest.functions) {
    // Copies: adding modules moves what the manifest holds.
    const app::Module module = manifest.modules[parent.module];
    const function::Function function = modules[parent.module];
    if (exports_function(*function.program, loader, kExport)) {
      const auto within = [&](Error error) {
        return std::unexpected(
            std::move(error).within(fmt::format("module \"{}\": {}", module.name.str(), kExport)));
      };
      auto text = ask(function, loader, guest_log, clock);
      if (!text) return within(std::move(text).error());
      auto declared = parse(*text);
      if (!declared) return within(std::move(declared).error());
      for (const Declared& each : *declared) {
        auto route = app::parse_route(below(parent.route.text, each.path), manifest.rules);
        if (!route) return within(std::move(route).error());
        if (!exports_function(*function.program, loader, each.entrypoint)) {
          return within(Error(Code::invalid_config, fmt::format("{} is no function it exports",
                                                                app::in_quotes(each.entrypoint))));
        }
        all.push_back({*route, manifest.modules.size()});
        manifest.modules.push_back(module);
        manifest.modules.back().entrypoint = each.entrypoint;
        modules.push_back(function);
        modules.back().module.entrypoint = each.entrypoint;
      }
    }
    all.push_back(parent);
  }
  manifest.functions = std::move(all);
  return {};
}

}  // namespace carrel::server
