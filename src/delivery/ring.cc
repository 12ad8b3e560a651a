#include "delivery/ring.h"

#include <functional>

namespace carrel::delivery {

unsigned owner_of(std::string_view id, unsigned count) {
  return static_cast<unsigned>(std::hash<std::string_view>()(id) % count);
}

void Ring::attach(async::Shard& shard, Dispatcher& dispatcher) {
  members_.push_back({&shard, &dispatcher});
}

const Ring::Member& Ring::owner(const Name& name) const {
  return members_[owner_of(name.id, static_cast<unsigned>(members_.size()))];
}

void Ring::add(Name name, std::uint64_t due) {
  const Member& member = owner(name);
  member.shard->submit([dispatcher = member.dispatcher, name = std::move(name), due] {
    dispatcher->add(name, due);
  });
}

void Ring::add_again(Name name, std::uint64_t due) {
  const Member& member = owner(name);
  member.shard->submit([dispatcher = member.dispatcher, name = std::move(name), due] {
    dispatcher->add_again(name, due);
  });
}

void Ring::forget(ErasedItems erased) {
  std::vector<ErasedItems> parts(members_.size());
  const auto part_of = [&](const Name& name) -> ErasedItems& {
    return parts[owner_of(name.id, static_cast<unsigned>(members_.size()))];
  };
  for (Name& name : erased.open) part_of(name).open.push_back(std::move(name));
  for (Name& name : erased.dead) part_of(name).dead.push_back(std::move(name));
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (parts[i].open.empty() && parts[i].dead.empty()) continue;
    members_[i].shard->submit([dispatcher = members_[i].dispatcher, part = std::move(parts[i])] {
      dispatcher->forget(part);
    });
  }
}

void Ring::pause() {
  paused_ = true;
  for (const Member& member : members_)
    member.shard->submit([dispatcher = member.dispatcher] { dispatcher->pause(); });
}

void Ring::resume() {
  paused_ = false;
  for (const Member& member : members_)
    member.shard->submit([dispatcher = member.dispatcher] { dispatcher->start(); });
}

}  // namespace carrel::delivery
