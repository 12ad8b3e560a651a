// carrel top: what a node does, as it does it.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/units.h"
#include "cli/command.h"
#include "cli/kept.h"
#include "cli/live_screen.h"
#include "cli/node_client.h"
#include "cli/node_figures.h"
#include "cli/pipes.h"
#include "cli/terminal.h"
#include "cli/top_screen.h"

namespace carrel::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kShortest{100};
constexpr milliseconds kLongest{10'000};  // for an answer

struct Options {
  NodeOptions node;
  std::string interval = "1s", order = "turns";
  bool once = false;
  bool json = false;
};

struct Look {
  MetricsText figures;
  Instant at;
};

// What the command shows, and in which order.
struct Top {
  NodeClient& node;
  AppOrder order;
  milliseconds interval;
  Look before;
  NodeFigures figures{};

  Result<Look> look() {
    CARREL_TRY(const NodeAnswer answer, node.call("GET", "/metrics", {}, kLongest));
    CARREL_TRY(MetricsText text, MetricsText::parse(answer.body));
    return Look{.figures = std::move(text), .at = std::chrono::steady_clock::now()};
  }
  Result<void> look_again() {
    CARREL_TRY(Look now, look());
    figures = figures_of(before.figures, now.figures, now.at - before.at,
                         std::chrono::system_clock::now(), order);
    before = std::move(now);
    return {};
  }
};

AppOrder order_of(std::string_view name) {
  return name == "cpu" ? AppOrder::cpu : name == "failed" ? AppOrder::failed : AppOrder::turns;
}

Result<milliseconds> interval_of(const std::string& text) {
  const auto nanos = app::parse_duration(text);
  if (!nanos || *nanos < kShortest)
    return fail(Code::invalid_argument, fmt::format("--interval cannot be \"{}\"", text),
                "a number and a unit, 100ms at least: 500ms, 2s");
  return std::chrono::duration_cast<milliseconds>(*nanos);
}

Result<void> show_as_text(Top& top, const Options& options) {
  for (;;) {
    std::this_thread::sleep_for(top.interval);
    CARREL_TRY_VOID(top.look_again());
    if (options.json) {
      CARREL_TRY_VOID(write_json(json_of(top.figures)));
    } else {
      constexpr ScreenSize kPage{.columns = 100, .rows = 10'000};
      for (const std::string& line : screen_of(top.figures, top.node.url(), kPage))
        CARREL_TRY_VOID(write_output(line + "\n"));
    }
    if (options.once) return {};
  }
}

// A key, a new size or the time for another look.
Result<void> show_live(Top& top, LiveScreen& screen) {
  Instant next = std::chrono::steady_clock::now() + std::min(top.interval, kShortest);
  for (;;) {
    print(frame_of(screen_of(top.figures, top.node.url(), screen.size())));
    const auto left = next - std::chrono::steady_clock::now();
    const auto woken =
        screen.wait(std::max(std::chrono::ceil<milliseconds>(left), milliseconds(0)));
    switch (woken.why) {
      case LiveScreen::Wake::end:
        return {};
      case LiveScreen::Wake::resized:
        continue;
      case LiveScreen::Wake::key:
        if (woken.key == 'q') return {};
        if (woken.key == 't') top.order = AppOrder::turns;
        if (woken.key == 'c') top.order = AppOrder::cpu;
        if (woken.key == 'f') top.order = AppOrder::failed;
        continue;
      case LiveScreen::Wake::time:
        CARREL_TRY_VOID(top.look_again());
        next = std::chrono::steady_clock::now() + top.interval;
    }
  }
}

Result<void> top(const Options& options) {
  CARREL_TRY(const milliseconds interval, interval_of(options.interval));
  CARREL_TRY(const auto node, NodeClient::find(options.node, ""));
  Top top{.node = *node, .order = order_of(options.order), .interval = interval, .before = {}};
  CARREL_TRY(top.before, top.look());
  if (options.once || options.json) return show_as_text(top, options);
  Result<void> shown;
  {
    CARREL_TRY(auto screen, LiveScreen::take());
    shown = show_live(top, screen);
  }
  return shown;  // what was wrong is said on the page that was there before
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("--interval", options->interval, "Between two looks (default: 1s)")
      ->type_name("TIME");
  app.add_option("--sort", options->order, "Apps by turns, cpu or failed (default: turns)")
      ->type_name("BY")
      ->check(CLI::IsMember({"turns", "cpu", "failed"}).description(""));
  app.add_flag("--once", options->once, "Two looks, one table, as text");
  app.add_flag("--json", options->json, "As JSON; a line for each look");
  add_node_options(app, options->node);
  return [options] {
    const auto done = top(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kTop;
const Command kTop{
    .name = "top",
    .group = Group::look,
    .summary = "Show what a server does, as it does it",
    .usage = "[OPTIONS]",
    .details =
        "Requests, turns, commits and calls of a node, and the turns, failures and CPU time of its apps,\n"
        "as rates between two looks at its metrics. Keys: t, c, f sort apps by turns, CPU time, failures;\n"
        "q ends it. The token needs the verb `read` on the node.",
    .examples =
        "carrel top\n"
        "carrel top --server https://carrel.example.com --token-file ops.token --sort cpu\n"
        "carrel top --once --json | jq '.apps[0]'\n",
    .add = add,
};

}  // namespace carrel::cli
