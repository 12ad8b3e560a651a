#include "cli/node_figures.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <tuple>

namespace carrel::cli {
namespace {

using Name = std::pair<std::string, std::string>;
using ByApp = std::map<Name, double>;

constexpr std::string_view kRequests = "carrel_http_request_duration_seconds";

double grown(double before, double after) { return after >= before ? after - before : after; }

ByApp by_app(const MetricsText& text, std::string_view name) {
  ByApp found;
  for (const MetricSample& sample : text.samples(name))
    found[{std::string(sample.label("tenant")), std::string(sample.label("app"))}] += sample.value;
  return found;
}

double of(const ByApp& all, const Name& name) {
  const auto found = all.find(name);
  return found == all.end() ? 0 : found->second;
}

// Buckets of a histogram by their upper bounds; of one listener, or of all.
std::map<double, double> buckets(const MetricsText& text, std::string_view name,
                                 std::string_view listener) {
  std::map<double, double> found;
  for (const MetricSample& sample : text.samples(std::string(name) + "_bucket")) {
    if (!listener.empty() && sample.label("listener") != listener) continue;
    const std::string bound(sample.label("le"));
    found[std::strtod(bound.c_str(), nullptr)] += sample.value;
  }
  return found;
}

// Within a bucket, as if it were filled evenly; beyond the last bound, that bound.
double quantile(double share, const std::map<double, double>& before,
                const std::map<double, double>& after) {
  std::vector<std::pair<double, double>> counts;
  for (const auto& [bound, count] : after) {
    const auto old = before.find(bound);
    counts.emplace_back(bound, grown(old == before.end() ? 0 : old->second, count));
  }
  if (counts.empty() || counts.back().second <= 0) return 0;
  const double rank = share * counts.back().second;
  double from = 0, below = 0;
  for (const auto& [bound, count] : counts) {
    if (count >= rank && count > below) {
      if (std::isinf(bound)) return from;
      return from + (bound - from) * (rank - below) / (count - below);
    }
    if (!std::isinf(bound)) from = bound;
    below = count;
  }
  return from;
}

// How much a figure of each app has grown.
class Growth {
 public:
  Growth(const MetricsText& before, const MetricsText& after, std::string_view name)
      : before_(by_app(before, name)), after_(by_app(after, name)) {}
  double operator()(const Name& app) const { return grown(of(before_, app), of(after_, app)); }
  const ByApp& totals() const { return after_; }

 private:
  ByApp before_, after_;
};

std::vector<AppRates> rates_of(const MetricsText& before, const MetricsText& after, double seconds,
                               AppOrder order) {
  const Growth turns(before, after, "carrel_app_turns_total");
  const Growth failed(before, after, "carrel_app_turns_failed_total");
  const Growth time(before, after, "carrel_app_turn_seconds_total");
  const Growth cpu(before, after, "carrel_app_cpu_seconds_total");
  std::vector<AppRates> apps;
  for (const auto& [name, total] : turns.totals()) {
    if (total == 0) continue;
    const double more = turns(name);
    apps.push_back({.tenant = name.first,
                    .app = name.second,
                    .turns = more / seconds,
                    .failed = failed(name) / seconds,
                    .mean = more > 0 ? time(name) / more : 0,
                    .cpu = cpu(name) / seconds});
  }
  const auto key = [order](const AppRates& app) {
    return order == AppOrder::turns ? app.turns : order == AppOrder::cpu ? app.cpu : app.failed;
  };
  std::ranges::sort(apps, [&key](const AppRates& a, const AppRates& b) {
    if (key(a) != key(b)) return key(a) > key(b);
    return std::tie(a.tenant, a.app) < std::tie(b.tenant, b.app);
  });
  return apps;
}

}  // namespace

NodeFigures figures_of(const MetricsText& before, const MetricsText& after, Nanos between,
                       WallTime now, AppOrder order) {
  const double seconds = std::max(std::chrono::duration<double>(between).count(), 1e-3);
  const auto rate = [&](std::string_view name) {
    return grown(before.sum(name), after.sum(name)) / seconds;
  };
  // Of the listener for apps.
  const auto requests = [&](const MetricsText& text, std::string_view status_class) {
    double sum = 0;
    for (const MetricSample& sample : text.samples(std::string(kRequests) + "_count")) {
      const bool counts = status_class.empty() || sample.label("class") == status_class;
      if (counts && sample.label("listener") == "apps") sum += sample.value;
    }
    return sum;
  };
  const auto request_rate = [&](std::string_view status_class) {
    return grown(requests(before, status_class), requests(after, status_class)) / seconds;
  };
  const auto quantile_of = [&](double share, std::string_view name, std::string_view listener) {
    return quantile(share, buckets(before, name, listener), buckets(after, name, listener));
  };
  constexpr std::string_view kSync = "carrel_store_sync_duration_seconds";
  NodeFigures figures{.ready = after.sum("carrel_ready") > 0,
                      .requests = request_rate(""),
                      .refused = request_rate("4xx"),
                      .failed = request_rate("5xx"),
                      .p50 = quantile_of(0.5, kRequests, "apps"),
                      .p99 = quantile_of(0.99, kRequests, "apps"),
                      .turns = rate("carrel_turns_total"),
                      .reruns = rate("carrel_turn_reruns_total"),
                      .cpu = rate("carrel_guest_cpu_seconds_total"),
                      .running = after.sum("carrel_turns_running"),
                      .waiting = after.sum("carrel_turns_waiting"),
                      .slots = after.sum("carrel_turn_slots"),
                      .shards = after.sum("carrel_shards"),
                      .commits = rate("carrel_store_commits_total"),
                      .sync_p99 = quantile_of(0.99, kSync, ""),
                      .calls = rate("carrel_calls_total"),
                      .deliveries = rate("carrel_delivery_attempts_total"),
                      .open_deliveries = after.sum("carrel_deliveries_open"),
                      .connections = after.sum("carrel_http_connections"),
                      .resident = after.sum("process_resident_memory_bytes"),
                      .apps = rates_of(before, after, seconds, order)};
  const auto& build = after.samples("carrel_build_info");
  if (!build.empty()) figures.version = build.front().label("version");
  const double epoch = std::chrono::duration<double>(now.time_since_epoch()).count();
  figures.uptime = std::max(epoch - after.sum("process_start_time_seconds"), 0.0);
  return figures;
}

nlohmann::json json_of(const NodeFigures& figures) {
  nlohmann::json apps = nlohmann::json::array();
  for (const AppRates& app : figures.apps)
    apps.push_back({{"tenant", app.tenant},
                    {"app", app.app},
                    {"turns_per_second", app.turns},
                    {"failed_per_second", app.failed},
                    {"mean_seconds", app.mean},
                    {"cpu", app.cpu}});
  return {{"version", figures.version},
          {"ready", figures.ready},
          {"uptime_seconds", figures.uptime},
          {"requests_per_second", figures.requests},
          {"refused_per_second", figures.refused},
          {"failed_per_second", figures.failed},
          {"p50_seconds", figures.p50},
          {"p99_seconds", figures.p99},
          {"turns_per_second", figures.turns},
          {"reruns_per_second", figures.reruns},
          {"guest_cpu", figures.cpu},
          {"turns_running", figures.running},
          {"turns_waiting", figures.waiting},
          {"turn_slots", figures.slots},
          {"shards", figures.shards},
          {"commits_per_second", figures.commits},
          {"sync_p99_seconds", figures.sync_p99},
          {"calls_per_second", figures.calls},
          {"deliveries_per_second", figures.deliveries},
          {"deliveries_open", figures.open_deliveries},
          {"connections", figures.connections},
          {"resident_bytes", figures.resident},
          {"apps", std::move(apps)}};
}

}  // namespace carrel::cli
