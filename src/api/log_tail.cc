#include "api/log_tail.h"

#include <algorithm>
#include <list>

namespace carrel::api {
namespace {

std::size_t weight_of(const LogLine& line) {
  return sizeof(LogLine) + line.tenant.str().size() + line.app.str().size() +
         line.module.str().size() + line.code.size() + line.text.size();
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

  // True: its shard has to be told.
  bool put(const LogLineRef& line) {
    const std::lock_guard lock(mutex);
    if (waiting.lines.size() == kMostWaiting) waiting = {.gap = true, .lines = {}};
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
  using Line = Follower::Line;

  mutable std::mutex mutex;
  Apps apps;
  std::map<std::pair<TenantName, AppName>, Apps::iterator> by_name;
  std::size_t bytes = 0;
  std::uint64_t added = 0;
  std::vector<std::weak_ptr<Line>> followers;

  App& app_of(const LogLine& line) {
    const auto [found, fresh] = by_name.try_emplace({line.tenant, line.app});
    if (fresh) {
      found->second = apps.insert(apps.begin(), App{line.tenant, line.app, {}});
    } else {
      apps.splice(apps.begin(), apps, found->second);
    }
    return *found->second;
  }

  void drop_first(App& app) {
    bytes -= weight_of(*app.lines.front());
    app.lines.pop_front();
  }

  void keep(const LogLineRef& line) {
    App& app = app_of(*line);
    app.lines.push_back(line);
    bytes += weight_of(*line);
    if (app.lines.size() > kMostLines) drop_first(app);
    while (bytes > kMostBytes) {
      App& silent = apps.back();
      drop_first(silent);
      if (!silent.lines.empty()) continue;
      by_name.erase({silent.tenant, silent.app});
      apps.pop_back();
    }
  }

  std::vector<LogLineRef> last(const TenantName& tenant, std::string_view app,
                               std::size_t most) const {
    std::vector<LogLineRef> found;
    for (auto at = by_name.lower_bound({tenant, AppName(std::string(app))});
         at != by_name.end() && at->first.first == tenant; ++at) {
      if (!app.empty() && at->first.second.str() != app) break;
      found.insert(found.end(), at->second->lines.begin(), at->second->lines.end());
    }
    std::ranges::sort(found, {}, [](const LogLineRef& line) { return line->number; });
    if (found.size() > most) found.erase(found.begin(), found.end() - static_cast<long>(most));
    return found;
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
  const std::lock_guard lock(impl_->mutex);
  return impl_->last(tenant, app, most);
}

Result<LogTail::Follower> LogTail::follow(async::Shard& shard, TenantName tenant, std::string app,
                                          std::size_t most) {
  const std::lock_guard lock(impl_->mutex);
  std::erase_if(impl_->followers, [](const auto& weak) { return weak.expired(); });
  if (impl_->followers.size() >= kMostFollowers) {
    return fail(Code::too_many_requests, "as many as may follow logs do so already");
  }
  auto line = std::make_shared<Follower::Line>(shard, std::move(tenant), std::move(app));
  line->waiting.lines = impl_->last(line->tenant, line->app, most);
  line->event.signal();
  impl_->followers.push_back(line);
  return Follower(std::move(line));
}

}  // namespace carrel::api
