#include "cli/node_figures.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/top_screen.h"

namespace carrel::cli {
namespace {

using std::chrono::seconds;

MetricsText text_of(std::string_view text) {
  auto read = MetricsText::parse(text);
  EXPECT_TRUE(read);
  return read ? std::move(*read) : MetricsText();
}

NodeFigures between(std::string_view before, std::string_view after,
                    AppOrder order = AppOrder::turns) {
  return figures_of(text_of(before), text_of(after), seconds(2), WallTime(seconds(1000)), order);
}

TEST(MetricsText, ReadsSamplesWithAndWithoutLabels) {
  const MetricsText text = text_of(
      "# HELP a A.\n# TYPE a counter\na 7\na{x=\"1\"} 0.5\n"
      "b{x=\"q\\\"\\\\\\n\",y=\"\"} 1e-05\n");
  EXPECT_EQ(text.sum("a"), 7.5);
  EXPECT_EQ(text.sum("a", "x", "1"), 0.5);
  EXPECT_EQ(text.sum("missing"), 0);
  ASSERT_EQ(text.samples("b").size(), 1U);
  EXPECT_EQ(text.samples("b")[0].label("x"), "q\"\\\n");
  EXPECT_EQ(text.samples("b")[0].label("z"), "");
}

TEST(MetricsText, WhatIsNoSuchTextIsRefused) {
  for (const std::string_view text : {"a", "a ", "a x", "a{", "a{x", "a{x=\"1\"", "a{x=\"1} 2",
                                      "a{x=\"1\",} 2", "{} 1", "a 1 2", "<html>", "a{x=\"1\"}2"})
    EXPECT_FALSE(MetricsText::parse(text)) << text;
}

TEST(NodeFigures, RatesAreOfASecond) {
  const NodeFigures figures = between("carrel_turns_total{result=\"ok\"} 10\n",
                                      "carrel_turns_total{result=\"ok\"} 20\n"
                                      "carrel_turns_total{result=\"conflict\"} 2\n"
                                      "process_start_time_seconds 400\n");
  EXPECT_EQ(figures.turns, 6);
  EXPECT_EQ(figures.uptime, 600);
}

TEST(NodeFigures, AServerThatBeganAnewCountsFromNothing) {
  EXPECT_EQ(between("carrel_turns_total 1000\n", "carrel_turns_total 8\n").turns, 4);
}

TEST(NodeFigures, OnlyRequestsForAppsCount) {
  constexpr std::string_view kCount = "carrel_http_request_duration_seconds_count";
  const NodeFigures figures =
      between("", fmt::format("{0}{{listener=\"apps\",class=\"2xx\"}} 6\n"
                              "{0}{{listener=\"apps\",class=\"5xx\"}} 2\n"
                              "{0}{{listener=\"admin\",class=\"2xx\"}} 100\n",
                              kCount));
  EXPECT_EQ(figures.requests, 4);
  EXPECT_EQ(figures.failed, 1);
}

TEST(NodeFigures, QuantilesLieWithinTheirBuckets) {
  const auto bucket = [](std::string_view bound, int count) {
    return fmt::format("carrel_store_sync_duration_seconds_bucket{{le=\"{}\"}} {}\n", bound, count);
  };
  const std::string some = bucket("0.001", 0) + bucket("0.01", 100) + bucket("+Inf", 100);
  EXPECT_NEAR(between("", some).sync_p99, 0.001 + 0.009 * 0.99, 1e-9);
  EXPECT_EQ(between(some, some).sync_p99, 0);
  EXPECT_EQ(between("", bucket("0.001", 0) + bucket("+Inf", 5)).sync_p99, 0.001);
  EXPECT_EQ(between("", "").sync_p99, 0);
}

constexpr std::string_view kApps =
    "carrel_app_turns_total{tenant=\"\",app=\"\"} 0\n"
    "carrel_app_turns_total{tenant=\"acme\",app=\"shop\"} 10\n"
    "carrel_app_turns_total{tenant=\"acme\",app=\"blog\"} 20\n"
    "carrel_app_turn_seconds_total{tenant=\"acme\",app=\"shop\"} 1\n"
    "carrel_app_cpu_seconds_total{tenant=\"acme\",app=\"shop\"} 1\n"
    "carrel_app_turns_failed_total{tenant=\"acme\",app=\"shop\"} 4\n";

TEST(NodeFigures, AppsAreInTheOrderThatIsAskedFor) {
  const auto first = [](AppOrder order) { return between("", kApps, order).apps.front().app; };
  EXPECT_EQ(first(AppOrder::turns), "blog");
  EXPECT_EQ(first(AppOrder::cpu), "shop");
  EXPECT_EQ(first(AppOrder::failed), "shop");
  const auto apps = between("", kApps).apps;
  ASSERT_EQ(apps.size(), 2U);  // nobody is among the others
  EXPECT_EQ(apps[1].turns, 5);
  EXPECT_EQ(apps[1].mean, 0.1);
  EXPECT_EQ(apps[1].cpu, 0.5);
  EXPECT_EQ(apps[1].failed, 2);
  EXPECT_EQ(json_of(between("", kApps))["apps"][0]["app"], "blog");
}

TEST(TopScreen, FitsEveryTerminal) {
  const NodeFigures figures = between("", kApps);
  for (const std::size_t columns : {1U, 20U, 80U, 200U}) {
    for (const std::size_t rows : {1U, 6U, 24U}) {
      const auto lines = screen_of(figures, "http://127.0.0.1:3001", {columns, rows});
      EXPECT_LE(lines.size(), rows);
      for (const std::string& line : lines) EXPECT_LE(line.size(), columns);
    }
  }
  const auto lines = screen_of(figures, "http://127.0.0.1:3001", {});
  ASSERT_EQ(lines.size(), 8U);
  EXPECT_TRUE(lines[6].starts_with("acme/blog "));
}

TEST(TopScreen, NoNameSteersTheTerminal) {
  NodeFigures figures;
  figures.version = "1\x1b[2J";
  figures.apps = {{.tenant = "\x1b]0;x\x07", .app = "\n\n"}};
  for (const std::string& line : screen_of(figures, "", {}))
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
}

TEST(TopScreen, AFrameLeavesNothingOfTheOneBefore) {
  EXPECT_EQ(frame_of({"a", "b"}), "\x1b[Ha\x1b[K\r\nb\x1b[K\x1b[J");
}

}  // namespace
}  // namespace carrel::cli
