#include "embed/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>

#include "patterns/hook/report.h"
#include "tenant/path.h"

namespace carrel::embed {
namespace {

using async::Task;

constexpr unsigned kDeepest = 8;

// The calls that this thread is inside of: an application's function may call a point.
struct Frame {
  CallHere call;
  const Frame* outer;
};
thread_local const Frame* innermost = nullptr;

std::atomic<std::uint64_t> last_call = 0;

class Counted {
 public:
  Counted(Application& application, Begun begun)
      : application_(application),
        own_(begun == Begun::here),
        may_begin_(!own_ || application.begin_call()) {}
  ~Counted() {
    if (own_ && may_begin_) application_.end_call();
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  bool may_begin() const { return may_begin_; }

 private:
  Application& application_;
  bool own_, may_begin_;
};

class Entered {
 public:
  explicit Entered(const CallHere& call) : frame_{.call = call, .outer = innermost} {
    innermost = &frame_;
  }
  ~Entered() { innermost = frame_.outer; }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

 private:
  Frame frame_;
};

Result<std::optional<TenantName>> tenant_of(std::string_view text, const hook::App& app) {
  if (text.empty()) return std::optional<TenantName>();
  CARREL_TRY(TenantName tenant, tenant::parse_tenant(text));
  if (tenant::contains(app.tenant, tenant)) return tenant;
  return fail(Code::invalid_argument,
              fmt::format("the tenant is not {} or below it", app.tenant.str()));
}

Task<void> ask(hook::Invoker* invoker, std::shared_ptr<const hook::App> app,
               const hook::Point* point, hook::Call call, std::optional<hook::Invocation>* made) {
  made->emplace(co_await invoker->invoke(std::move(app), point, std::move(call)));
}

}  // namespace

const CallHere* call_here() { return innermost != nullptr ? &innermost->call : nullptr; }

bool inside_call_of(const Application& application) {
  for (const Frame* frame = innermost; frame != nullptr; frame = frame->outer) {
    if (frame->call.application == &application) return true;
  }
  return false;
}

namespace {

Outcome<Reply> run_here(Lane& lane, const Application& application, const CallWanted& wanted) {
  const hook::App& app = *application.hooks();
  const auto point = app.points.find(wanted.point);
  if (point == app.points.end())
    return std::unexpected(
        Error(Code::not_found, fmt::format("the app {} has no such point", app.app.str())));
  if (point->second.kind != app::PointKind::call)
    return std::unexpected(Error(Code::invalid_argument, "the point is of kind \"event\""));
  hook::Call call{.input = std::string(wanted.input)};
  CARREL_TRY(call.tenant, tenant_of(wanted.tenant, app));
  if (wanted.timeout > Nanos::zero()) call.longest = wanted.timeout;
  call.id = last_call.fetch_add(1, std::memory_order_relaxed) + 1;
  std::optional<hook::Invocation> made;
  lane.shard().run_until_done(
      ask(&lane.invoker(), application.hooks(), &point->second, std::move(call), &made));
  if (made->error) return std::unexpected(failure_of(*made));
  return Reply{.output = std::move(made->output), .runs = std::move(made->runs), .details = {}};
}

// `work` on a lane, counted among the application's calls.
template <typename Work>
Outcome<Reply> on_lane(Core& core, Application& application, const CallWanted& wanted, Work work) {
  unsigned depth = wanted.depth;
  if (const CallHere* const here = call_here()) depth = std::max(depth, here->depth);
  if (depth >= kDeepest)
    return failed(kTooDeep, "functions of the application call points more than 8 deep");
  const Counted counted(application, wanted.begun);
  if (!counted.may_begin()) return failed(kClosed, "the handle is being closed");
  auto lane = core.lanes().borrow();
  if (!lane)
    return std::unexpected(Error(Code::overloaded, "64 calls are in progress",
                                 "call from fewer threads, or use carrel_call_async"));
  const Lanes::Loan loan(core.lanes(), std::move(lane));
  const Entered entered({.application = &application,
                         .shard = &loan->shard(),
                         .depth = depth + 1,
                         .context = wanted.context});
  return work(*loan.operator->());
}

}  // namespace

Outcome<Reply> call(Core& core, const std::shared_ptr<Application>& application,
                    const CallWanted& wanted) {
  return on_lane(core, *application, wanted, [&](Lane& lane) {
    if (const LocalServer* const server = application->server()) return server->call(lane, wanted);
    return run_here(lane, *application, wanted);
  });
}

Outcome<Reply> emit(Core& core, const std::shared_ptr<Application>& application,
                    const CallWanted& wanted) {
  const LocalServer* const server = application->server();
  if (server == nullptr)
    return failed(kNeedsServer,
                  "an event is kept until it is delivered, and a folder keeps nothing",
                  "open a server's socket: \"unix:/path\"");
  return on_lane(core, *application, wanted,
                 [&](Lane& lane) { return server->emit(lane, wanted); });
}

Outcome<Reply> points(Core& core, const std::shared_ptr<Application>& application) {
  if (const LocalServer* const server = application->server())
    return on_lane(core, *application, {}, [&](Lane& lane) { return server->points(lane); });
  const hook::App& app = *application->hooks();
  return Reply{
      .output = R"({"app":")" + app.app.str() + R"(","points":)" + hook::points_text(app) + "}",
      .runs = {},
      .details = "{}"};
}

}  // namespace carrel::embed
