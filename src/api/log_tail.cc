#include "api/log_tail.h"

#include <algorithm>
#include <list>

#include "base/tenant_root.h"

namespace carrel::api {
namespace {

std::size_t weight_of(const LogLine& line) {
  return sizeof(LogLine) + line.tenant.str().size() + line.app.str().size() +
         line.module.str().size() + line.code.size() + line.text.size();
}

std::vector<LogLineRef> newest(std::vector<LogLineRef> lines, std::size_t most) {
  std::ranges::sort(lines, {}, [](const LogLineRef& line) { return line->number; });
  if (lines.size() > most) lines.erase(lines.begin(), lines.end() - static_cast<long>(most));
  return lines;
}

bool is_of(const LogLine& line, const TenantName& tenant, std::string_view app) {
  return line.tenant == tenant && (app.empty() || line.app.str() == app);
}

}  // namespace

struct LogTail::Follower::Line {
  async::Shard& shard;
  TenantName tenant;
  std::string app;
  async::Event event = {};  // the shard's alone

  std::mutex mutex = {};
  LogNews waiting = {};
  bool woken = false;

  // What there was before it followed; lines may have come since.
  void put_first(std::vector<LogLineRef> lines) {
    const std::lock_guard lock(mutex);
    if (waiting.gap) return;
    waiting.lines.insert(waiting.lines.begin(), lines.begin(), lines.end());
  }
  // True: its shard has to be told.
  bool put(const LogLineRef& line) {
    const std::lock_guard lock(mutex);
    if (waiting.lines.size() >= kMostWaiting) waiting = {.gap = true, .lines = {}};
    waiting.lines.push_back(line);
    return !std::exchange(woken, true);
  }
};

LogNews LogTail::Follower::take() {
  const std::lock_guard lock(line_->mutex);
  line_->woken = false;
  return std::exchange(line_->waiting, {});
}

async::Event& LogTail::Follower::news() { return line_->event; }

struct LogTail::Impl {
  struct App {
    TenantName tenant;
    AppName app;
    std::deque<LogLineRef> lines;
  };
  using Apps = std::list<App>;  // the one that spoke last is the first
  // A tenant with all below it.
  struct Root {
    std::string tenant;
    Apps apps;
    std::size_t bytes = 0;
  };
  using Roots = std::list<Root>;  // likewise
  using Line = Follower::Line;

  mutable std::mutex mutex;
  Roots roots;
  std::map<std::string, Roots::iterator, std::less<>> by_root;
  std::map<std::pair<TenantName, AppName>, Apps::iterator> by_name;
  std::size_t bytes = 0;
  std::uint64_t added = 0;
  std::vector<std::weak_ptr<Line>> followers;

  Root& root_of_line(const LogLine& line) {
    const std::string_view name = root_of(line.tenant.str());
    const auto found = by_root.find(name);
    if (found == by_root.end()) {
      roots.push_front({.tenant = std::string(name), .apps = {}});
      by_root.emplace(name, roots.begin());
    } else {
      roots.splice(roots.begin(), roots, found->second);
    }
    return roots.front();
  }

  App& app_of(Root& root, const LogLine& line) {
    const auto [found, fresh] = by_name.try_emplace({line.tenant, line.app});
    if (fresh) {
      found->second = root.apps.insert(root.apps.begin(), App{line.tenant, line.app, {}});
    } else {
      root.apps.splice(root.apps.begin(), root.apps, found->second);
    }
    return *found->second;
  }

  void drop_first(Root& root, App& app) {
    const auto weight = weight_of(*app.lines.front());
    root.bytes -= weight;
    bytes -= weight;
    app.lines.pop_front();
  }

  // Of the app that has been silent longest.
  void drop_oldest(Root& root) {
    App& silent = root.apps.back();
    drop_first(root, silent);
    if (!silent.lines.empty()) return;
    by_name.erase({silent.tenant, silent.app});
    root.apps.pop_back();
  }

  void keep(const LogLineRef& line) {
    Root& root = root_of_line(*line);
    App& app = app_of(root, *line);
    app.lines.push_back(line);
    const auto weight = weight_of(*line);
    root.bytes += weight;
    bytes += weight;
    if (app.lines.size() > kMostLines) drop_first(root, app);
    while (root.bytes > kMostOfTenant) drop_oldest(root);
    while (bytes > kMostBytes) {
      Root& silent = roots.back();
      drop_oldest(silent);
      if (!silent.apps.empty()) continue;
      by_root.erase(silent.tenant);
      roots.pop_back();
    }
  }

  // In no order; `newest` sorts them, without the mutex.
  std::vector<LogLineRef> find(const TenantName& tenant, std::string_view app) const {
    std::vector<LogLineRef> found;
    for (auto at = by_name.lower_bound({tenant, AppName(std::string(app))});
         at != by_name.end() && at->first.first == tenant; ++at) {
      if (!app.empty() && at->first.second.str() != app) break;
      found.insert(found.end(), at->second->lines.begin(), at->second->lines.end());
    }
    return found;
  }

  Result<void> check_room(std::string_view root) {
    std::size_t ours = 0;
    std::erase_if(followers, [&](const std::weak_ptr<Line>& weak) {
      const auto follower = weak.lock();
      if (follower && root_of(follower->tenant.str()) == root) ++ours;
      return !follower;
    });
    if (followers.size() < kMostFollowers && ours < kMostFollowersOfTenant) return {};
    return fail(Code::too_many_requests, "as many as may follow logs do so already");
  }

  // Those who followed and have gone are forgotten on the way.
  std::vector<std::shared_ptr<Line>> followers_of(const LogLine& line) {
    std::vector<std::shared_ptr<Line>> those;
    std::erase_if(followers, [&](const std::weak_ptr<Line>& weak) {
      auto follower = weak.lock();
      if (!follower) return true;
      if (is_of(line, follower->tenant, follower->app)) those.push_back(std::move(follower));
      return false;
    });
    return those;
  }
};

LogTail::LogTail() : impl_(std::make_unique<Impl>()) {}
LogTail::~LogTail() = default;

void LogTail::add(LogLine line) {
  if (line.text.size() > kMostText) line.text = line.text.substr(0, kMostText);
  const std::lock_guard lock(impl_->mutex);
  line.number = ++impl_->added;
  const auto kept = std::make_shared<const LogLine>(std::move(line));
  impl_->keep(kept);
  for (const auto& follower : impl_->followers_of(*kept)) {
    if (!follower->put(kept)) continue;
    follower->shard.submit([weak = std::weak_ptr(follower)] {
      if (const auto alive = weak.lock()) alive->event.signal();
    });
  }
}

std::vector<LogLineRef> LogTail::last(const TenantName& tenant, std::string_view app,
                                      std::size_t most) const {
  std::vector<LogLineRef> found;
  {
    const std::lock_guard lock(impl_->mutex);
    found = impl_->find(tenant, app);
  }
  return newest(std::move(found), most);
}

Result<LogTail::Follower> LogTail::follow(async::Shard& shard, TenantName tenant, std::string app,
                                          std::size_t most) {
  auto line = std::make_shared<Follower::Line>(shard, std::move(tenant), std::move(app));
  std::vector<LogLineRef> found;
  {
    const std::lock_guard lock(impl_->mutex);
    CARREL_TRY_VOID(impl_->check_room(root_of(line->tenant.str())));
    found = impl_->find(line->tenant, line->app);
    impl_->followers.push_back(line);
  }
  found = newest(std::move(found), most);
  line->put_first(std::move(found));
  line->event.signal();
  return Follower(std::move(line));
}

}  // namespace carrel::api
