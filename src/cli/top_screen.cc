#include "cli/top_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "observe/json_line.h"

namespace carrel::cli {
namespace {

std::string time_text(double seconds) {
  if (seconds <= 0) return "-";
  if (seconds < 1e-3) return fmt::format("{:.0f} us", seconds * 1e6);
  if (seconds < 1) return fmt::format("{:.1f} ms", seconds * 1e3);
  return fmt::format("{:.1f} s", seconds);
}

std::string rate_text(double rate) {
  if (rate >= 10'000) return fmt::format("{:.1f}k", rate / 1000);
  return rate >= 100 || rate == 0 ? fmt::format("{:.0f}", rate) : fmt::format("{:.1f}", rate);
}

std::string uptime_text(double seconds) {
  const auto minutes = static_cast<std::uint64_t>(seconds / 60);
  if (minutes < 60) return fmt::format("{} min", minutes);
  constexpr std::uint64_t kHour = 60, kDay = 24 * kHour;
  if (minutes < 2 * kDay) return fmt::format("{} h {} min", minutes / kHour, minutes % kHour);
  return fmt::format("{} days", minutes / kDay);
}

std::string share_text(double part, double whole) {
  return whole > 0 ? fmt::format("{:.1f} %", 100 * part / whole) : "-";
}

std::string name_of(const AppRates& app) {
  if (app.app.empty()) return "(others)";
  return observe::printable(app.tenant + "/" + app.app);
}

// Bytes that begin no character are not counted.
std::string fitted(std::string text, std::size_t columns) {
  std::size_t used = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0U) == 0x80U) continue;
    if (used++ == columns) {
      text.resize(i);
      break;
    }
  }
  return text;
}

std::vector<std::string> head_of(const NodeFigures& figures, std::string_view url) {
  return {
      fmt::format("carrel {} at {}, {}, up {}", observe::printable(figures.version), url,
                  figures.ready ? "ready" : "NOT READY", uptime_text(figures.uptime)),
      fmt::format("requests {}/s   4xx {}   5xx {}   p50 {}   p99 {}   connections {:.0f}",
                  rate_text(figures.requests), share_text(figures.refused, figures.requests),
                  share_text(figures.failed, figures.requests), time_text(figures.p50),
                  time_text(figures.p99), figures.connections),
      fmt::format("turns {}/s   running {:.0f} of {:.0f}   waiting {:.0f}   reruns {}/s   guests' "
                  "CPU {:.2f} of {:.0f}",
                  rate_text(figures.turns), figures.running, figures.slots, figures.waiting,
                  rate_text(figures.reruns), figures.cpu, figures.shards),
      fmt::format("commits {}/s   sync p99 {}   calls {}/s   deliveries {}/s, {:.0f} open   memory "
                  "{:.0f} MiB",
                  rate_text(figures.commits), time_text(figures.sync_p99), rate_text(figures.calls),
                  rate_text(figures.deliveries), figures.open_deliveries,
                  figures.resident / (1 << 20)),
      "",
  };
}

}  // namespace

std::vector<std::string> screen_of(const NodeFigures& figures, std::string_view url,
                                   ScreenSize size) {
  std::vector<std::string> lines = head_of(figures, url);
  constexpr std::size_t kFigures = 44;  // columns beside the name
  const std::size_t wide = std::max<std::size_t>(size.columns, kFigures + 10) - kFigures;
  lines.push_back(fmt::format("{:<{}}{:>11}{:>11}{:>11}{:>11}", "TENANT/APP", wide, "TURNS/S",
                              "FAILED/S", "MEAN", "CPU"));
  for (const AppRates& app : figures.apps) {
    if (lines.size() >= size.rows) break;
    lines.push_back(fmt::format("{:<{}}{:>11}{:>11}{:>11}{:>11}", fitted(name_of(app), wide - 1),
                                wide, rate_text(app.turns), rate_text(app.failed),
                                time_text(app.mean), fmt::format("{:.1f} %", 100 * app.cpu)));
  }
  lines.resize(std::min(lines.size(), size.rows));
  for (std::string& line : lines) line = fitted(std::move(line), size.columns);
  return lines;
}

std::string frame_of(const std::vector<std::string>& lines) {
  std::string frame = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) frame += "\r\n";
    frame += lines[i] + "\x1b[K";  // and nothing of what was there
  }
  return frame + "\x1b[J";
}

}  // namespace carrel::cli
