// Figures of each app on one shard, for a bounded number of apps: what tenants call their apps
// becomes a label.
//
// An app has its place from its first turn on until the process ends. Those for which there is none
// are counted together, under no name.
#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/id.h"
#include "observe/metrics.h"

namespace carrel::runtime {

// Written by the shard, read by any thread.
struct AppFigures {
  observe::Counter turns, failed;  // that have ended; of them, those that failed
  observe::Counter nanos;          // that they took
  observe::Counter cpu_nanos;      // that their guests used
};

class AppTable {
 public:
  static constexpr std::size_t kMost = 500, kMostATenant = 50;

  AppTable() : slots_(kMost + 1) {}
  AppTable(const AppTable&) = delete;
  AppTable& operator=(const AppTable&) = delete;

  // Thread: the shard's.
  AppFigures& of(const TenantName& tenant, const AppName& app);

  struct Slot {
    std::string tenant, app;  // empty: of those that have no place
    AppFigures figures;
  };
  // Any thread: `take` is called with each slot.
  template <typename Take>
  void read(Take take) const {
    const std::size_t used = used_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < used; ++i) take(slots_[i]);
  }

 private:
  using Name = std::pair<std::string_view, std::string_view>;
  struct Hash {
    std::size_t operator()(const Name& name) const;
  };

  std::vector<Slot> slots_;            // the first: of those that have no place
  std::atomic<std::size_t> used_ = 1;  // those before it do not change their names any more
  boost::unordered_flat_map<Name, AppFigures*, Hash> places_;  // names are views into `slots_`
  boost::unordered_flat_map<std::string_view, std::size_t> tenants_;
};

}  // namespace carrel::runtime
