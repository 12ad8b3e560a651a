#include "cli/turn_bench.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/setup.h"
#include "capability/assets/assets.h"
#include "cli/canned_calls.h"
#include "cli/recorded_calls.h"
#include "cli/state_folder.h"
#include "net/memory_reply.h"
#include "patterns/function/router.h"

namespace carrel::cli {
namespace {

// The machine's clock with another time of day. It goes on, so that guests may sleep.
class ShiftedClock final : public Clock {
 public:
  explicit ShiftedClock(std::optional<WallTime> start)
      : shift_(start ? *start - system_clock().wall() : WallTime::duration::zero()) {}
  Instant now() const override { return system_clock().now(); }
  WallTime wall() const override { return system_clock().wall() + shift_; }

 private:
  WallTime::duration shift_;
};

class CollectedLog final : public turn::GuestLog {
 public:
  void line(const turn::ModuleSetup&, std::uint64_t, std::string_view text) override {
    text_ += text;
    text_ += '\n';
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

// A body that comes one byte at a time, with a wait before each: a guest that reads it is suspended
// as often as can be.
class SlowSource final : public async::ByteSource {
 public:
  SlowSource(async::Shard& shard, std::string bytes) : shard_(shard), bytes_(std::move(bytes)) {}

  std::size_t read(std::span<std::byte> into) override {
    if (!ready_ || into.empty() || at_ == bytes_.size()) return 0;
    into.front() = static_cast<std::byte>(bytes_[at_++]);
    ready_ = false;
    return 1;
  }
  bool ready() const override { return ready_ && at_ < bytes_.size(); }
  bool finished() const override { return at_ == bytes_.size(); }
  async::Task<Result<void>> wait() override {
    co_await shard_.sleep_for(Nanos(0));
    ready_ = true;
    co_return Result<void>();
  }

 private:
  async::Shard& shard_;
  std::string bytes_;
  std::size_t at_ = 0;
  bool ready_ = false;
};

std::unique_ptr<async::ByteSource> source_of(const std::string& body, BodyPace pace,
                                             async::Shard& shard) {
  if (pace == BodyPace::byte_by_byte) return std::make_unique<SlowSource>(shard, body);
  return std::make_unique<async::MemorySource>(body);
}

net::Request request_of(const app::CaseEvent& event) {
  net::Request request;
  request.method = event.method;
  request.target = event.path;
  const std::string_view target = event.path;
  const auto query = target.find('?');
  request.path = target.substr(0, query);
  if (query != std::string_view::npos) request.query = target.substr(query + 1);
  request.host = "localhost";
  request.scheme = "http";
  request.remote_address = "127.0.0.1";
  for (const auto& [name, value] : event.headers) {
    request.headers.push_back({name, value});
    if (net::same_name(name, "host")) request.host = value;
  }
  if (request.header("host").empty()) request.headers.push_back({"host", "localhost"});
  if (event.body) {
    request.has_body = true;
    request.content_length = event.body->size();
  }
  return request;
}

std::string_view path_of(const app::CaseEvent& event) {
  return std::string_view(event.path).substr(0, event.path.find('?'));
}

// Routes the request if the app has a route to this module; else the whole path names the function.
void fill_target(const function::Router& router, const app::Manifest* app,
                 const app::Module& module, const net::Request& request, turn::HttpTarget& target) {
  if (app != nullptr) {
    const auto match = router.match(request.method, request.path, target);
    if (match.kind == function::RouteMatch::Kind::found && match.target < app->functions.size() &&
        app->modules[app->functions[match.target].module].name == module.name) {
      return;
    }
  }
  target = turn::HttpTarget{.route = request.path, .script_name = request.path};
}

async::Task<void> run_turn(runtime::Runtime& runtime,
                           std::shared_ptr<const runtime::Program> program, turn::Turn& turn,
                           turn::Outcome* outcome) {
  *outcome = co_await runtime.run(std::move(program), turn);
}

}  // namespace

Result<std::unique_ptr<TurnBench>> TurnBench::make(const std::string& state) {
  CARREL_TRY(EngineRoom room, open_engine_room(state, shell_settings()));
  return std::unique_ptr<TurnBench>(new TurnBench(std::move(room)));
}

Result<std::unique_ptr<TurnBench>> TurnBench::make(const std::string& state,
                                                   std::filesystem::path store) {
  CARREL_TRY(const std::filesystem::path folder, open_state(state));
  CARREL_TRY(const NodeKey key, node_key_from(folder / "node.key"));
  CARREL_TRY(auto bench, make(state));
  bench->kept_.emplace(std::move(store), key);
  return bench;
}

TurnBench::TurnBench(EngineRoom room)
    : room_(std::move(room)),
      loader_(room_.engine, room_.cache, 1),
      runtime_(shard_, loader_, runtime::RuntimeLimits{}, services_) {}

void TurnBench::allow_calls(net::ClientOptions options) {
  client_.emplace(shard_, std::move(options));
}

Result<std::shared_ptr<wasi::Node>> TurnBench::folder(const std::filesystem::path& path) {
  if (const auto known = folders_.find(path); known != folders_.end()) return known->second;
  CARREL_TRY(auto node, capability::assets::mount(path));
  folders_.emplace(path, node);
  return node;
}

Result<turn::ModuleSetup> TurnBench::setup_of(const app::Module& module, const app::Manifest* app) {
  const app::Manifest alone{.app = AppName(module.name.str())};
  turn::ModuleSetup setup = app::setup_of(app != nullptr ? *app : alone, module);
  setup.reuse = nullptr;  // a turn here says nothing of those before it
  if (app != nullptr && app->assets) {
    CARREL_TRY(auto assets, folder(*app->assets));
    setup.mounts.push_back({"/assets", std::move(assets)});
  }
  for (const app::Volume& volume : module.volumes) {
    CARREL_TRY(auto node, folder(volume.host));
    setup.mounts.push_back({volume.guest, std::move(node)});
  }
  return setup;
}

Result<std::unique_ptr<TurnStore>> TurnBench::store_for(const turn::ModuleSetup& setup,
                                                        const TurnInput& input,
                                                        const Clock& clock) {
  const bool needed = setup.grants.any() || (input.before != nullptr && !input.before->empty()) ||
                      (input.effects != nullptr && !input.effects->empty());
  if (!needed) return std::unique_ptr<TurnStore>();
  if (kept_) return TurnStore::kept(shard_, clock, kept_->folder, kept_->key);
  CARREL_TRY(auto store, TurnStore::temporary(shard_, clock, input.looks));
  if (input.before != nullptr) CARREL_TRY_VOID(store->put(setup.tenant, *input.before));
  return store;
}

Result<TurnResult> TurnBench::run(const TurnInput& input) {
  const app::Module& module = input.module;
  const app::Manifest* const app = input.app;
  const app::CaseEvent& event = input.event;
  CARREL_TRY(auto program, loader_.check(module.source));
  CARREL_TRY(turn::ModuleSetup setup, setup_of(module, app));
  const ShiftedClock clock(event.time);
  CARREL_TRY(const auto store, store_for(setup, input, clock));
  // What is thrown away need not be on the disk first.
  if (store && store->is_temporary()) setup.sync = store::Sync::interval;

  const bool http = event.kind == app::CaseEvent::Kind::http;
  const net::Request request = request_of(event);
  const function::Router router =
      app != nullptr ? function::Router(app->rules, function::routes_of(*app)) : function::Router();
  turn::HttpTarget target;
  if (http) fill_target(router, app, module, request, target);
  const auto body = source_of(event.body.value_or(""), input.pace, shard_);
  turn::Event turn_event{
      .id = event.id,
      .source = http ? std::string_view(setup.app.str()) : std::string_view(event.source),
      .type = http ? std::string_view("carrel.http.request") : std::string_view(event.type),
      .subject = http ? request.path : std::string_view(event.subject),
      .time = clock.wall(),
      .attributes = event.attributes,
      .body = event.body ? body.get() : nullptr,
      .request = http ? &request : nullptr,
      .target = http ? &target : nullptr};
  net::MemoryReply reply;
  CollectedLog log;
  turn::Turn turn{.id = ++turns_,
                  .module = setup,
                  .event = turn_event,
                  .reply = reply,
                  .log = log,
                  .clock = clock};

  const auto started = std::chrono::steady_clock::now();
  turn::Outcome outcome;
  services_ = store ? store->services() : turn::Services();
  static const std::vector<app::CaseCall> kNoCalls;
  CannedCalls canned(input.calls != nullptr ? *input.calls : kNoCalls);
  std::optional<RecordedCalls> recorded;
  if (input.calls != nullptr) {
    services_.client = &canned;
  } else if (client_) {
    services_.client = &*client_;
    if (input.record > 0) services_.client = &recorded.emplace(*client_);
  }
  shard_.run_until_done(run_turn(runtime_, program, turn, &outcome));
  services_ = {};

  TurnResult result{.guest = std::move(outcome.guest), .error = std::move(outcome.error)};
  result.wall = std::chrono::steady_clock::now() - started;
  result.log = log.take();
  result.unexpected_calls = canned.unexpected();
  result.missing_calls = canned.missing();
  if (store && input.effects != nullptr) {
    CARREL_TRY(result.after, store->look_for(setup.tenant, *input.effects));
  }
  if (store && input.record > 0) {
    CARREL_TRY(result.left, store->contents(setup.tenant, setup.grants, input.record));
  }
  if (recorded) result.calls = recorded->made();
  if (result.error && http) {
    result.head = net::problem_head(*result.error);
    result.body = net::problem_body(*result.error, turn.id);
  } else {
    result.head = reply.head();
    result.body = reply.body();
  }
  return result;
}

Result<const app::Module*> module_for(const app::Manifest& app, const app::CaseEvent& event) {
  if (event.kind == app::CaseEvent::Kind::http) {
    const function::Router router(app.rules, function::routes_of(app));
    turn::HttpTarget target;
    const auto match = router.match(event.method, path_of(event), target);
    if (match.kind == function::RouteMatch::Kind::found && match.target < app.functions.size()) {
      return &app.modules[app.functions[match.target].module];
    }
  }
  if (app.modules.size() == 1) return &app.modules.front();
  std::vector<std::string_view> names;
  names.reserve(app.modules.size());
  for (const app::Module& module : app.modules) names.push_back(module.name.str());
  return fail(
      Code::not_found,
      event.kind == app::CaseEvent::Kind::http
          ? fmt::format("no route of the app leads {} {} to a function", event.method, event.path)
          : std::string("the app has several modules"),
      fmt::format("name one with --module: {}", fmt::join(names, ", ")));
}

}  // namespace carrel::cli
