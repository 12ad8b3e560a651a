// Jobs of tenants, for a few threads: who asks for much waits for itself, not the others for it.
//
// A tenant with all below it has one job in progress at most, and takes its turn with the others.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <utility>

#include "base/id.h"
#include "base/tenant_root.h"

namespace carrel::server {

// Owner: whoever runs the jobs, and its mutex guards it. Thread: any that holds that mutex.
class TenantJobs {
 public:
  static constexpr std::size_t kMostWaiting = 16;  // of a tenant
  using Job = std::move_only_function<void()>;
  struct Taken {
    std::string tenant;
    Job job;
  };

  // False: so many of its tenant wait already.
  bool add(const TenantName& whose, Job job) {
    Line& line = line_of(std::string(root_of(whose.str())));
    if (line.waiting.size() == kMostWaiting) return false;
    line.waiting.push_back(std::move(job));
    return true;
  }

  // Of the tenant whose turn it is. Whoever ran the job says so by `done`.
  std::optional<Taken> take() {
    const auto next = std::ranges::find_if(
        lines_, [](const Line& line) { return !line.running && !line.waiting.empty(); });
    if (next == lines_.end()) return {};
    Taken taken{.tenant = next->tenant, .job = std::move(next->waiting.front())};
    next->waiting.pop_front();
    next->running = true;
    lines_.splice(lines_.end(), lines_, next);
    return taken;
  }

  void done(std::string_view tenant) {
    const auto line = std::ranges::find(lines_, tenant, &Line::tenant);
    line->running = false;
    if (line->waiting.empty()) lines_.erase(line);
  }

  void clear() {
    for (Line& line : lines_) line.waiting.clear();
    std::erase_if(lines_, [](const Line& line) { return !line.running; });
  }

 private:
  struct Line {
    std::string tenant;
    std::deque<Job> waiting;
    bool running = false;
  };

  Line& line_of(std::string tenant) {
    const auto found = std::ranges::find(lines_, tenant, &Line::tenant);
    if (found != lines_.end()) return *found;
    lines_.push_back({.tenant = std::move(tenant), .waiting = {}});
    return lines_.back();
  }

  std::list<Line> lines_;  // whose turn is next is the first
};

}  // namespace carrel::server
