// What the API says about this node. The server fills it in; the API only shows it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/id.h"

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
  std::string problem;    // why the newest version is not served; empty: it is
  bool deployed = false;  // by its tenant; else it is the operator's, from a folder
};

struct NodeInfo {
  std::string version;
  WallTime started;
  unsigned shards = 0;
  std::vector<AppInfo> apps;  // of folders
};

using AppKey = std::pair<TenantName, AppName>;

// Apps that tenants deployed, as they are served now: there may be many. Owner: the composition
// root; outlives the API. Thread-safe.
class DeployedIndex {
 public:
  virtual ~DeployedIndex() = default;
  virtual std::size_t apps_deployed() const = 0;
  // Of `subtree`, in order of tenants and names, after `after`, at most `most`.
  virtual std::vector<AppInfo> deployed_in(const TenantName& subtree, const AppKey& after,
                                           std::size_t most) const = 0;
  // The most that one of the tenant's own may store. Nothing: it has none.
  virtual std::optional<std::uint64_t> storage_of(const TenantName& tenant) const = 0;
};

enum class Readiness { ready, starting, draining };

// Owner: the composition root; outlives the API. Thread-safe.
class Node {
 public:
  virtual ~Node() = default;
  virtual std::shared_ptr<const NodeInfo> info() const = 0;
  virtual Readiness readiness() const = 0;
  virtual const DeployedIndex* deployed() const = 0;  // null: nothing is deployed here
  virtual LogTail* log_tail() const = 0;              // null: nothing is kept
  virtual std::string metrics() const = 0;            // as Prometheus reads them
};

}  // namespace carrel::api
