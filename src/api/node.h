// What the API says about this node. The server fills it in; the API only shows it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"

namespace carrel::api {

class LogTail;

struct AppInfo {
  std::string name;
  std::string tenant;
  std::vector<std::string> hosts;   // empty: every host
  std::vector<std::string> routes;  // "GET /price/:sku"
  std::size_t modules = 0;
  std::uint64_t storage = UINT64_MAX;  // bytes it may store
  WallTime loaded;
  std::string problem;  // why the newest version is not served; empty: it is
};

struct NodeInfo {
  std::string version;
  WallTime started;
  unsigned shards = 0;
  std::vector<AppInfo> apps;
};

enum class Readiness { ready, starting, draining };

// Owner: the composition root; outlives the API. Thread-safe.
class Node {
 public:
  virtual ~Node() = default;
  virtual std::shared_ptr<const NodeInfo> info() const = 0;
  virtual Readiness readiness() const = 0;
  virtual LogTail* log_tail() const = 0;    // null: nothing is kept
  virtual std::string metrics() const = 0;  // as Prometheus reads them
};

}  // namespace carrel::api
