#include <algorithm>

#include "base/result.h"
#include "wasi/calls.h"
#include "wasi/place.h"
#include "wasi/times.h"

namespace carrel::wasi {
namespace {

constexpr u32 kFollow = 1;

Io<void> check_lookup(u32 lookup) {
  if ((lookup & ~kFollow) != 0) return fail(Errno::inval);
  return {};
}
bool follows(u32 lookup) { return (lookup & kFollow) != 0; }

// A place at which a node may change something: not a mount itself, nor above one.
Io<Node*> changeable(const Location& place, Errno if_mount) {
  if (place.is_mount() || place.folder_above_mounts) return fail(if_mount);
  if (place.node == nullptr) return fail(Errno::rofs);
  return place.node;
}

// The same for what must be there already.
Io<Node*> removable(const Location& place, Errno if_mount) {
  if (place.node == nullptr && !place.folder_above_mounts) return fail(Errno::noent);
  return changeable(place, if_mount);
}

}  // namespace

Io<void> path_create_directory(Context& c, Fd folder, GuestPtr path, u32 size) {
  CARREL_TRY(const Location place, locate(c, folder, path, size, right::kCreateFolder));
  CARREL_TRY(Node * node, changeable(place, Errno::exist));
  return node->make_folder(c, place.rest);
}

template <Snapshot snapshot>
Io<void> path_filestat_get(Context& c, Fd folder, u32 lookup, GuestPtr path, u32 size,
                           GuestPtr stat) {
  CARREL_TRY(auto out, c.slice(stat, filestat_size(snapshot)));
  CARREL_TRY_VOID(check_lookup(lookup));
  CARREL_TRY(const Location place, locate(c, folder, path, size, right::kPathStat));
  CARREL_TRY(const FileStat answer, stat_place(c, place, follows(lookup) || place.must_be_folder));
  if (place.must_be_folder && answer.type != FileType::folder) return fail(Errno::notdir);
  put_filestat(snapshot, answer, out);
  return {};
}
template Io<void> path_filestat_get<Snapshot::unstable>(Context&, Fd, u32, GuestPtr, u32, GuestPtr);
template Io<void> path_filestat_get<Snapshot::preview1>(Context&, Fd, u32, GuestPtr, u32, GuestPtr);

Io<void> path_filestat_set_times(Context& c, Fd folder, u32 lookup, GuestPtr path, u32 size,
                                 u64 accessed, u64 modified, u32 flags) {
  CARREL_TRY_VOID(check_lookup(lookup));
  CARREL_TRY(const Location place, locate(c, folder, path, size, right::kPathSetTimes));
  CARREL_TRY(const SetTimes times, times_of(c.clock(), accessed, modified, flags));
  CARREL_TRY_VOID(check_folder(c, place));
  if (place.node == nullptr) return fail(place.folder_above_mounts ? Errno::rofs : Errno::noent);
  return place.node->set_times(c, place.rest, times, follows(lookup));
}

Io<void> path_link(Context& c, Fd from_folder, u32 lookup, GuestPtr from, u32 from_size,
                   Fd to_folder, GuestPtr to, u32 to_size) {
  // A name for what a link points to: no node has that.
  if (lookup != 0) return fail(Errno::inval);
  CARREL_TRY(const Location source, locate(c, from_folder, from, from_size, right::kLinkSource));
  CARREL_TRY(const Location target, locate(c, to_folder, to, to_size, right::kLinkTarget));
  CARREL_TRY(Node * node, removable(source, Errno::perm));
  CARREL_TRY(Node * to_node, changeable(target, Errno::exist));
  CARREL_TRY_VOID(check_folder(c, source));
  if (target.must_be_folder) return fail(Errno::noent);
  if (node != to_node) return fail(Errno::xdev);
  return node->link(c, source.rest, target.rest);
}

Io<void> path_open(Context& c, Fd folder, u32 lookup, GuestPtr path, u32 size, u32 oflags, u64 base,
                   u64, u32 fdflags, GuestPtr opened) {
  constexpr u32 kCreate = 1, kFolder = 2, kExclusive = 4, kTruncate = 8;
  constexpr u32 kAppend = 1, kDataSync = 2, kNonblock = 4, kReadSync = 8, kSync = 16;
  CARREL_TRY(auto out, c.output<u32>(opened));
  CARREL_TRY_VOID(check_lookup(lookup));
  if (oflags > 15 || fdflags > 31) return fail(Errno::inval);
  CARREL_TRY(const Location place, locate(c, folder, path, size, right::kOpen));
  const Descriptor& from = **c.files().get(folder);
  const OpenHow how{.create = (oflags & kCreate) != 0,
                    .folder = (oflags & kFolder) != 0 || place.must_be_folder,
                    .exclusive = (oflags & kExclusive) != 0,
                    .truncate = (oflags & kTruncate) != 0,
                    .append = (fdflags & kAppend) != 0,
                    .nonblock = (fdflags & kNonblock) != 0,
                    .sync = (fdflags & (kSync | kReadSync)) != 0,
                    .data_sync = (fdflags & kDataSync) != 0,
                    .read = (base & (right::kRead | right::kReaddir)) != 0,
                    .write = (base & right::kWrite) != 0,
                    .follow = follows(lookup) || place.must_be_folder};
  if (how.create && how.folder) return fail(place.must_be_folder ? Errno::isdir : Errno::inval);
  const Rights needed = (how.read ? kReadRights : 0) | (how.write ? right::kWrite : 0);
  if ((needed & ~from.inheriting) != 0) return fail(Errno::notcapable);
  if (how.create && (from.rights & right::kCreateFile) == 0) return fail(Errno::notcapable);
  if (!c.files().has_room()) return fail(Errno::mfile);

  CARREL_TRY(auto file, open_place(c, place, how));
  CARREL_TRY(const FileStat stat, file->stat(c));
  Descriptor made{.type = stat.type, .flags = static_cast<u16>(fdflags), .mount = place.mount};
  if (made.is_folder()) {
    made.rights = kFolderRights & from.rights;
    made.inheriting = from.inheriting;
    made.path = place.path;
  } else {
    made.rights = kFileRights & from.inheriting;
    if (!how.read) made.rights &= ~kReadRights;
    if (!how.write) made.rights &= ~kWriteRights;
    if (!file->seekable()) made.rights &= ~kPositionRights;
  }
  made.file = std::move(file);
  CARREL_TRY(const Fd fd, c.files().add(std::move(made)));
  out.set(static_cast<u32>(fd));
  return {};
}

Io<void> path_readlink(Context& c, Fd folder, GuestPtr path, u32 size, GuestPtr buffer,
                       u32 buffer_size, GuestPtr used) {
  CARREL_TRY(auto out, c.output<u32>(used));
  CARREL_TRY(auto bytes, c.slice(buffer, buffer_size));
  CARREL_TRY(const Location place, locate(c, folder, path, size, right::kReadlink));
  if (place.node == nullptr) return fail(place.folder_above_mounts ? Errno::inval : Errno::noent);
  if (place.must_be_folder) return fail(Errno::inval);
  CARREL_TRY(const std::string target, place.node->read_link(c, place.rest));
  const std::size_t n = std::min(target.size(), bytes.size());
  std::memcpy(bytes.data(), target.data(), n);
  out.set(static_cast<u32>(n));
  return {};
}

Io<void> path_remove_directory(Context& c, Fd folder, GuestPtr path, u32 size) {
  CARREL_TRY(const Location place, locate(c, folder, path, size, right::kRemoveFolder));
  CARREL_TRY(Node * node, removable(place, Errno::busy));
  return node->remove_folder(c, place.rest);
}

Io<void> path_rename(Context& c, Fd from_folder, GuestPtr from, u32 from_size, Fd to_folder,
                     GuestPtr to, u32 to_size) {
  CARREL_TRY(const Location source, locate(c, from_folder, from, from_size, right::kRenameSource));
  CARREL_TRY(const Location target, locate(c, to_folder, to, to_size, right::kRenameTarget));
  CARREL_TRY(Node * node, removable(source, Errno::busy));
  CARREL_TRY(Node * to_node, changeable(target, Errno::busy));
  if (node != to_node) return fail(Errno::xdev);
  if (source.must_be_folder || target.must_be_folder) {
    CARREL_TRY(const FileStat stat, stat_place(c, source, false));
    if (stat.type != FileType::folder) return fail(Errno::notdir);
  }
  return node->rename(c, source.rest, target.rest);
}

Io<void> path_symlink(Context& c, GuestPtr target, u32 target_size, Fd folder, GuestPtr path,
                      u32 size) {
  CARREL_TRY(const std::string_view text, c.text(target, target_size));
  CARREL_TRY_VOID(check_text(text));
  if (text.empty()) return fail(Errno::noent);
  CARREL_TRY(const Location place, locate(c, folder, path, size, right::kSymlink));
  CARREL_TRY(Node * node, changeable(place, Errno::exist));
  if (place.must_be_folder) return fail(Errno::noent);
  return node->symlink(c, text, place.rest);
}

Io<void> path_unlink_file(Context& c, Fd folder, GuestPtr path, u32 size) {
  CARREL_TRY(const Location place, locate(c, folder, path, size, right::kUnlink));
  CARREL_TRY(Node * node, removable(place, Errno::isdir));
  if (place.must_be_folder) {
    CARREL_TRY_VOID(check_folder(c, place));
    return fail(Errno::isdir);
  }
  return node->unlink(c, place.rest);
}

}  // namespace carrel::wasi
