#include "capability/tmp/inode_table.h"

#include <chrono>

namespace carrel::capability::tmp {
namespace {

using wasi::Errno;
using wasi::fail;
using wasi::Io;
using wasi::IoContext;

constexpr int kMaxLinks = 40;                            // followed on one path, as on Linux
constexpr int kMaxSteps = 8192;                          // on one path, with those of its links
constexpr std::int64_t kInodeCost = sizeof(Inode) + 48;  // with its place in the table
constexpr std::int64_t kNameCost = 176;                  // with both places in its folder

std::int64_t name_cost(std::string_view name) {
  return kNameCost + static_cast<std::int64_t>(name.size());
}

std::int64_t inode_cost(Inode& inode) {
  const Link* link = inode.link();
  return kInodeCost + (link ? static_cast<std::int64_t>(link->target.size()) : 0);
}

// Takes the first name off `rest`.
std::string_view take_name(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view name = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  return name;
}

}  // namespace

std::uint64_t now(IoContext& io) {
  const auto since = io.clock().wall().time_since_epoch();
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

Inode& InodeTable::root(IoContext& io) {
  if (root_) return *root_;
  all_.push_back(std::make_unique<Inode>());
  root_ = all_.back().get();
  root_->body.emplace<Folder>();
  root_->id = next_id_++;
  root_->links = 1;
  root_->accessed = root_->modified = root_->changed = now(io);
  return *root_;
}

Io<Place> InodeTable::resolve(IoContext& io, std::string_view path, LastLink last) {
  Place place{.found = &root(io)};
  std::string followed;  // what `rest` points into once a link was followed
  std::string_view rest = path;
  int links = 0;
  for (int steps = 0; !rest.empty(); ++steps) {
    if (steps == kMaxSteps) return fail(Errno::loop);
    const std::string_view name = take_name(rest);
    if (!place.found) return fail(Errno::noent);
    Folder* folder = place.found->folder();
    if (!folder) return fail(Errno::notdir);
    if (name.empty() || name == ".") continue;
    if (name == "..") {  // from a link's target: the tree has resolved all others
      if (place.found == root_) return fail(Errno::perm);
      if (!folder->parent) return fail(Errno::noent);
      place = Place{.found = folder->parent};
      continue;
    }
    if (name.size() > kMaxName) return fail(Errno::nametoolong);
    Inode* child = folder->names.find(name);
    if (child && child->link() && (!rest.empty() || last == LastLink::follow)) {
      if (++links > kMaxLinks) return fail(Errno::loop);
      followed = child->link()->target + (rest.empty() ? "" : "/") + std::string(rest);
      rest = followed;
      continue;
    }
    place = Place{.parent = place.found, .name = std::string(name), .found = child};
  }
  return place;
}

Io<Place> InodeTable::existing(IoContext& io, std::string_view path, LastLink last) {
  auto place = resolve(io, path, last);
  if (place && !place->found) return fail(Errno::noent);
  return place;
}

Io<Inode*> InodeTable::create(IoContext& io, const Place& place, decltype(Inode::body) body) {
  if (place.parent->links == 0) return fail(Errno::noent);
  if (all_.size() >= kMaxInodes) return fail(Errno::nospc);
  auto made = std::make_unique<Inode>();
  made->body = std::move(body);
  if (!io.charge_memory(inode_cost(*made))) return fail(Errno::dquot);
  if (auto added = add_name(io, place, *made); !added) {
    io.charge_memory(-inode_cost(*made));
    return fail(added.error());
  }
  if (Folder* folder = made->folder()) folder->parent = place.parent;
  made->id = next_id_++;
  made->slot = all_.size();
  made->accessed = made->modified = made->changed;
  all_.push_back(std::move(made));
  return all_.back().get();
}

Io<void> InodeTable::add_name(IoContext& io, const Place& place, Inode& inode) {
  if (!io.charge_memory(name_cost(place.name))) return fail(Errno::dquot);
  place.parent->folder()->names.add(place.name, inode);
  place.parent->touch(now(io));
  inode.changed = place.parent->changed;
  ++inode.links;
  return {};
}

void InodeTable::remove_name(IoContext& io, const Place& place) {
  place.parent->folder()->names.remove(place.name);
  place.parent->touch(now(io));
  io.charge_memory(-name_cost(place.name));
  place.found->changed = place.parent->changed;
  --place.found->links;
  if (Folder* folder = place.found->folder()) folder->parent = nullptr;
  free_unheld(io, *place.found);
}

Io<void> InodeTable::move_name(IoContext& io, const Place& from, const Place& to) {
  const std::int64_t more = name_cost(to.name) - name_cost(from.name);
  if (!io.charge_memory(more) && more > 0) return fail(Errno::dquot);
  from.parent->folder()->names.remove(from.name);
  to.parent->folder()->names.add(to.name, *from.found);
  if (Folder* folder = from.found->folder()) folder->parent = to.parent;
  const std::uint64_t time = now(io);
  from.parent->touch(time);
  to.parent->touch(time);
  from.found->changed = time;
  return {};
}

void InodeTable::let_go(IoContext& io, Inode& inode) {
  --inode.opens;
  free_unheld(io, inode);
}

void InodeTable::free_unheld(IoContext& io, Inode& inode) {
  if (inode.links > 0 || inode.opens > 0) return;
  if (SparseBytes* bytes = inode.bytes()) bytes->clear(io);
  io.charge_memory(-inode_cost(inode));
  const std::size_t slot = inode.slot;
  if (slot + 1 < all_.size()) {
    all_[slot] = std::move(all_.back());
    all_[slot]->slot = slot;
  }
  all_.pop_back();
}

}  // namespace carrel::capability::tmp
