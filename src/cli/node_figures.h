// What a node does, told from two looks at its figures.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/metrics_text.h"

namespace carrel::cli {

// Rates are of a second; times in seconds; `cpu` in processors.
struct AppRates {
  std::string tenant, app;  // empty: all those that have no line of their own
  double turns = 0, failed = 0, mean = 0, cpu = 0;
};

struct NodeFigures {
  std::string version;
  bool ready = false;
  double uptime = 0;
  double requests = 0, refused = 0, failed = 0;  // of apps' listeners: all, 4xx, 5xx
  double p50 = 0, p99 = 0;                       // of their durations; 0: there were none
  double turns = 0, reruns = 0, cpu = 0;
  double running = 0, waiting = 0, slots = 0, shards = 0;
  double commits = 0, sync_p99 = 0;
  double calls = 0, deliveries = 0, open_deliveries = 0;
  double connections = 0, resident = 0;
  std::vector<AppRates> apps;  // those that were ever called, the busiest first
};

enum class AppOrder : unsigned char { turns, cpu, failed };

// `between` the two looks; what has begun anew meanwhile counts from 0. Pure.
NodeFigures figures_of(const MetricsText& before, const MetricsText& after, Nanos between,
                       WallTime now, AppOrder order);

nlohmann::json json_of(const NodeFigures& figures);

}  // namespace carrel::cli
