#include "capability/state/store_tree.h"

#include <algorithm>
#include <functional>

#include "capability/state/listing.h"
#include "capability/state/look.h"
#include "capability/state/store_errno.h"

namespace carrel::capability::state {
namespace {

using wasi::Errno;
using wasi::fail;
using wasi::Io;

constexpr std::size_t kMostMade = 1000;  // folders without names, a turn

std::string key_of(std::string_view store, std::string_view name) {
  return std::string(store) + '/' + std::string(name);
}

wasi::FileStat folder_stat(std::string_view path) {
  return {.inode = std::hash<std::string_view>()(path), .type = wasi::FileType::folder};
}

}  // namespace

const turn::StoreGrant* StoreTree::grant(std::string_view store) const {
  const auto found = std::ranges::find(grants_, store, &turn::StoreGrant::store);
  return found == grants_.end() ? nullptr : &*found;
}

Io<StoreTree::Spot> StoreTree::spot(std::string_view path, Need need) const {
  auto at = locate(path);
  if (!at) return fail(at.error());
  const turn::StoreGrant* found = grant(at->store);
  if (found == nullptr) return fail(need == Need::write ? Errno::acces : Errno::noent);
  if (at->name.empty()) return fail(Errno::isdir);
  if (need == Need::write ? !found->write : !found->read) return fail(Errno::acces);
  return Spot{.place = {.kind = kind_, .store = std::move(at->store)},
              .name = std::move(at->name),
              .grant = found};
}

Io<const store::Record*> StoreTree::look(wasi::IoContext& io, const Spot& spot,
                                         store::Track track) const {
  return state::look(io, transaction_, spot.place, spot.name, track);
}

Io<bool> StoreTree::is_folder(wasi::IoContext& io, const Spot& spot) const {
  if (made_.contains(key_of(spot.place.store, spot.name))) return true;
  auto found = transaction_.has_below(spot.place, spot.name);
  if (!found) {
    io.wait_for(transaction_.fetch_list(spot.place, spot.name, std::nullopt, 1));
    return fail(Errno::again);
  }
  if (!*found) return fail(errno_of(found->error()));
  return **found;
}

Io<std::unique_ptr<wasi::OpenFile>> StoreTree::open_folder(wasi::IoContext&, const Location& at,
                                                           const wasi::OpenHow& how) {
  if (how.write || how.create || how.truncate) return fail(Errno::isdir);
  if (!grant(at.store)->read) return fail(Errno::acces);
  return std::make_unique<FolderListing>(transaction_,
                                         store::Place{.kind = kind_, .store = at.store}, at.name);
}

Io<std::unique_ptr<wasi::OpenFile>> StoreTree::open(wasi::IoContext& io, std::string_view path,
                                                    const wasi::OpenHow& how) {
  if (path.empty()) {
    if (how.create || how.truncate || (how.write && !how.folder)) return fail(Errno::isdir);
    return std::make_unique<StoreNames>(grants_);
  }
  auto at = locate(path);
  if (!at) return fail(at.error());
  const turn::StoreGrant* found = grant(at->store);
  if (found == nullptr) return fail(how.create ? Errno::acces : Errno::noent);
  // Whoever opens a folder asks for every right; it can only be listed.
  wasi::OpenHow listing = how;
  listing.write = false;
  if (at->name.empty()) return open_folder(io, *at, how.folder ? listing : how);

  const Spot spot{.place = {.kind = kind_, .store = at->store}, .name = at->name, .grant = found};
  if (!how.folder) {
    if ((how.write || how.create || how.truncate) && !found->write) return fail(Errno::acces);
    if (how.read && !found->read) return fail(Errno::acces);
    const auto there = look(io, spot, track_of(how));
    if (!there) return fail(there.error());
    if (*there != nullptr && how.create && how.exclusive) return fail(Errno::exist);
    if (*there != nullptr || how.create) return open_file(spot, *there, how);
  }
  const auto folder = is_folder(io, spot);
  if (!folder) return fail(folder.error());
  if (*folder) return open_folder(io, *at, how.folder ? listing : how);
  if (!how.folder) return fail(Errno::noent);
  const auto there = look(io, spot, store::Track::yes);
  if (!there) return fail(there.error());
  return fail(*there != nullptr ? Errno::notdir : Errno::noent);
}

Io<wasi::FileStat> StoreTree::stat(wasi::IoContext& io, std::string_view path, bool) {
  if (path.empty()) return folder_stat(path);
  auto at = locate(path);
  if (!at) return fail(at.error());
  const turn::StoreGrant* found = grant(at->store);
  if (found == nullptr) return fail(Errno::noent);
  if (at->name.empty()) return folder_stat(path);
  if (!found->read) return fail(Errno::acces);
  const Spot spot{.place = {.kind = kind_, .store = at->store}, .name = at->name, .grant = found};
  const auto record = look(io, spot, track_of({.read = true}));
  if (!record) return fail(record.error());
  if (*record != nullptr) {
    wasi::FileStat stat = stat_file(**record);
    stat.inode = std::hash<std::string_view>()(path);
    return stat;
  }
  const auto folder = is_folder(io, spot);
  if (!folder) return fail(folder.error());
  if (!*folder) return fail(Errno::noent);
  return folder_stat(path);
}

store::Track StoreTree::track_of(const wasi::OpenHow& how) const {
  const bool blind = how.truncate && !how.read && !how.exclusive;
  return blind ? store::Track::no : store::Track::yes;
}

Io<std::optional<StoreTree::Renaming>> StoreTree::renaming(wasi::IoContext& io,
                                                           std::string_view from,
                                                           std::string_view to,
                                                           Across across) const {
  auto source = spot(from, Need::write);
  if (!source) return fail(source.error() == Errno::isdir ? Errno::notsup : source.error());
  if (!source->grant->read) return fail(Errno::acces);
  auto target = spot(to, Need::write);
  if (!target) return fail(target.error());
  const bool one_store = source->place.store == target->place.store;
  if (!one_store && across == Across::nothing) return fail(Errno::notsup);
  const auto there = look(io, *source, store::Track::yes);
  if (!there) return fail(there.error());
  if (*there == nullptr) {
    const auto folder = is_folder(io, *source);
    if (!folder) return fail(folder.error());
    return fail(*folder ? Errno::notsup : Errno::noent);
  }
  if (one_store && source->name == target->name) return std::nullopt;
  store::Record record = **there;
  const auto replaced = look(io, *target, store::Track::no);
  if (!replaced) return fail(replaced.error());
  return Renaming{std::move(*source), std::move(*target), std::move(record)};
}

Io<void> StoreTree::make_folder(wasi::IoContext& io, std::string_view path) {
  if (path.empty()) return fail(Errno::exist);
  auto at = spot(path, Need::write);
  if (!at) return fail(at.error() == Errno::isdir ? Errno::exist : at.error());
  const auto folder = is_folder(io, *at);
  if (!folder) return fail(folder.error());
  if (*folder) return fail(Errno::exist);
  if (made_.size() >= kMostMade) return fail(Errno::dquot);
  made_.insert(key_of(at->place.store, at->name));
  return {};
}

Io<void> StoreTree::remove_folder(wasi::IoContext& io, std::string_view path) {
  if (path.empty()) return fail(Errno::busy);
  auto at = spot(path, Need::write);
  if (!at) return fail(at.error() == Errno::isdir ? Errno::busy : at.error());
  auto below = transaction_.has_below(at->place, at->name);
  if (!below) {
    io.wait_for(transaction_.fetch_list(at->place, at->name, std::nullopt, 1));
    return fail(Errno::again);
  }
  if (!*below) return fail(errno_of(below->error()));
  if (**below) return fail(Errno::notempty);
  if (made_.erase(key_of(at->place.store, at->name)) != 0) return {};
  const auto there = look(io, *at, store::Track::yes);
  if (!there) return fail(there.error());
  return fail(*there != nullptr ? Errno::notdir : Errno::noent);
}

Io<void> StoreTree::unlink(wasi::IoContext& io, std::string_view path) {
  if (path.empty()) return fail(Errno::isdir);
  auto at = spot(path, Need::write);
  if (!at) return fail(at.error());
  const auto there = look(io, *at, store::Track::yes);
  if (!there) return fail(there.error());
  if (*there == nullptr) {
    const auto folder = is_folder(io, *at);
    if (!folder) return fail(folder.error());
    return fail(*folder ? Errno::isdir : Errno::noent);
  }
  if (auto erased = transaction_.erase(at->place, at->name); !erased) {
    return fail(errno_of(erased.error()));
  }
  return {};
}

}  // namespace carrel::capability::state
