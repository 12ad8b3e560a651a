#include "store/feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/tenant_root.h"
#include "store/store_impl.h"

namespace carrel::store {

struct Watch::Line : std::enable_shared_from_this<Watch::Line> {
  std::string key;          // what the keys begin with
  std::size_t name_at = 0;  // in a key
  std::string root;         // the highest of its tenant
  std::shared_ptr<Mailbox> mailbox;
  std::mutex mutex;
  News news;           // under `mutex`
  async::Event event;  // the shard's

  // With the mutex. The first of its news wakes the watcher.
  void add(Told told) {
    wake_if_idle();
    if (news.told.size() == Feed::kMostWaiting) news = {.gap = true};
    news.told.push_back(std::move(told));
  }
  void add_gap() {
    wake_if_idle();
    news = {.gap = true};
  }
  void wake_if_idle() {
    if (news.gap || !news.told.empty()) return;
    mailbox->post([self = shared_from_this()] { self->event.signal(); });
  }
};

News Watch::take() {
  const std::lock_guard lock(line_->mutex);
  return std::exchange(line_->news, {});
}

async::Event& Watch::news() { return line_->event; }

void Feed::drop_ended() {
  std::erase_if(lines_, [](const auto& line) { return line.expired(); });
  watches_.store(lines_.size(), std::memory_order_release);
}

Result<Watch> Feed::watch(const TenantName& tenant, Kind kind, std::string_view store,
                          std::string_view prefix, std::shared_ptr<Mailbox> mailbox) {
  auto line = std::make_shared<Watch::Line>();
  line->key = prefix_of(tenant.str(), kind, store);
  line->name_at = line->key.size();
  line->key += prefix;
  line->root = root_of(tenant.str());
  line->mailbox = std::move(mailbox);
  const std::lock_guard lock(mutex_);
  drop_ended();
  const auto ours = std::ranges::count_if(lines_, [&](const auto& weak) {
    const auto other = weak.lock();
    return other && other->root == line->root;
  });
  if (lines_.size() == kMostWatches || ours >= static_cast<std::ptrdiff_t>(kMostOfTenant)) {
    return fail(Code::too_many_requests,
                fmt::format("{} of this tenant watch already, or {} of all; no more at once",
                            kMostOfTenant, kMostWatches));
  }
  lines_.push_back(line);
  watches_.store(lines_.size(), std::memory_order_release);
  return Watch(std::move(line));
}

void Feed::tell(Version version, const Changes& changes) {
  const std::lock_guard lock(mutex_);
  bool ended = false;
  for (const auto& weak : lines_) {
    const auto line = weak.lock();
    if (!line) {
      ended = true;
      continue;
    }
    const std::lock_guard own(line->mutex);
    for (const Change& change : changes.changes) {
      if (!change.key.starts_with(line->key)) continue;
      line->add({version, change.key.substr(line->name_at), !change.record});
    }
  }
  if (ended) drop_ended();
}

void Feed::tell_gap() {
  const std::lock_guard lock(mutex_);
  for (const auto& weak : lines_) {
    const auto line = weak.lock();
    if (!line) continue;
    const std::lock_guard own(line->mutex);
    line->add_gap();
  }
}

}  // namespace carrel::store
