#include "capability/tmp/tmp.h"

#include "capability/tmp/inode_table.h"
#include "capability/tmp/open_inode.h"

namespace carrel::capability::tmp {
namespace {

using wasi::Errno;
using wasi::fail;
using wasi::Io;
using wasi::IoContext;
using wasi::OpenHow;

constexpr std::size_t kMaxTarget = 4095;

class Tmp final : public wasi::Node {
 public:
  Io<std::unique_ptr<wasi::OpenFile>> open(IoContext& io, std::string_view path,
                                           const OpenHow& how) override;
  Io<wasi::FileStat> stat(IoContext& io, std::string_view path, bool follow) override;
  Io<void> make_folder(IoContext& io, std::string_view path) override;
  Io<void> remove_folder(IoContext& io, std::string_view path) override;
  Io<void> unlink(IoContext& io, std::string_view path) override;
  Io<void> rename(IoContext& io, std::string_view from, std::string_view to) override;
  Io<void> link(IoContext& io, std::string_view from, std::string_view to) override;
  Io<void> symlink(IoContext& io, std::string_view target, std::string_view path) override;
  Io<std::string> read_link(IoContext& io, std::string_view path) override;
  Io<void> set_times(IoContext& io, std::string_view path, wasi::SetTimes times,
                     bool follow) override;

 private:
  // The table is shared with open files, and made when first asked for.
  InodeTable& table() {
    if (!table_) table_ = std::make_shared<InodeTable>();
    return *table_;
  }
  Io<Place> unused(IoContext& io, std::string_view path);
  Io<std::unique_ptr<wasi::OpenFile>> open_found(IoContext& io, Inode& inode, const OpenHow& how);

  std::shared_ptr<InodeTable> table_;
};

LastLink last_link(bool follow) { return follow ? LastLink::follow : LastLink::keep; }

// A place for something new. Errors: EEXIST.
Io<Place> Tmp::unused(IoContext& io, std::string_view path) {
  auto place = table().resolve(io, path, LastLink::keep);
  if (place && place->found) return fail(Errno::exist);
  return place;
}

Io<std::unique_ptr<wasi::OpenFile>> Tmp::open(IoContext& io, std::string_view path,
                                              const OpenHow& how) {
  const bool anew = how.create && how.exclusive;
  if (how.create && how.folder) return fail(Errno::inval);
  const auto place = table().resolve(io, path, last_link(how.follow && !anew));
  if (!place) return fail(place.error());
  if (place->found) {
    if (anew) return fail(Errno::exist);
    return open_found(io, *place->found, how);
  }
  if (!how.create) return fail(Errno::noent);
  const auto made = table().create(io, *place, SparseBytes{});
  if (!made) return fail(made.error());
  return open_bytes(table_, **made, how);
}

Io<std::unique_ptr<wasi::OpenFile>> Tmp::open_found(IoContext& io, Inode& inode,
                                                    const OpenHow& how) {
  if (inode.link()) return fail(Errno::loop);
  if (inode.folder()) {
    const bool as_file = how.create || how.truncate || (how.write && !how.folder);
    if (as_file) return fail(Errno::isdir);
    return open_folder(table_, inode);
  }
  if (how.folder) return fail(Errno::notdir);
  if (how.truncate) {
    inode.bytes()->clear(io);
    inode.touch(now(io));
  }
  return open_bytes(table_, inode, how);
}

Io<wasi::FileStat> Tmp::stat(IoContext& io, std::string_view path, bool follow) {
  const auto place = table().existing(io, path, last_link(follow));
  if (!place) return fail(place.error());
  return place->found->stat();
}

Io<void> Tmp::make_folder(IoContext& io, std::string_view path) {
  const auto place = unused(io, path);
  if (!place) return fail(place.error());
  if (auto made = table().create(io, *place, Folder{}); !made) return fail(made.error());
  return {};
}

Io<void> Tmp::remove_folder(IoContext& io, std::string_view path) {
  const auto place = table().existing(io, path, LastLink::keep);
  if (!place) return fail(place.error());
  const Folder* folder = place->found->folder();
  if (!folder) return fail(Errno::notdir);
  if (!place->parent) return fail(Errno::busy);
  if (!folder->names.empty()) return fail(Errno::notempty);
  table().remove_name(io, *place);
  return {};
}

Io<void> Tmp::unlink(IoContext& io, std::string_view path) {
  const auto place = table().existing(io, path, LastLink::keep);
  if (!place) return fail(place.error());
  if (place->found->folder()) return fail(Errno::isdir);
  table().remove_name(io, *place);
  return {};
}

bool is_below(Inode* inode, const Inode& above) {
  for (; inode; inode = inode->folder()->parent) {
    if (inode == &above) return true;
  }
  return false;
}

// Whether `from` may take the name of `to`, as rename(2) has it.
Errno may_replace(Inode& from, Inode& to) {
  if (!from.folder()) return to.folder() ? Errno::isdir : Errno::success;
  if (!to.folder()) return Errno::notdir;
  return to.folder()->names.empty() ? Errno::success : Errno::notempty;
}

Io<void> Tmp::rename(IoContext& io, std::string_view from_path, std::string_view to_path) {
  const auto from = table().existing(io, from_path, LastLink::keep);
  if (!from) return fail(from.error());
  const auto to = table().resolve(io, to_path, LastLink::keep);
  if (!to) return fail(to.error());
  if (!from->parent || !to->parent) return fail(Errno::busy);
  if (from->found == to->found) return {};
  if (is_below(to->parent, *from->found)) return fail(Errno::inval);
  if (to->found) {
    if (const Errno no = may_replace(*from->found, *to->found); no != Errno::success)
      return fail(no);
    table().remove_name(io, *to);
  }
  return table().move_name(io, *from, *to);  // never over the quota when a name was removed for it
}

Io<void> Tmp::link(IoContext& io, std::string_view from_path, std::string_view to_path) {
  const auto from = table().existing(io, from_path, LastLink::keep);
  if (!from) return fail(from.error());
  const auto to = unused(io, to_path);
  if (!to) return fail(to.error());
  if (from->found->folder()) return fail(Errno::perm);
  return table().add_name(io, *to, *from->found);
}

Io<void> Tmp::symlink(IoContext& io, std::string_view target, std::string_view path) {
  if (target.empty()) return fail(Errno::noent);
  if (target.size() > kMaxTarget) return fail(Errno::nametoolong);
  if (target.front() == '/') return fail(Errno::perm);
  const auto place = unused(io, path);
  if (!place) return fail(place.error());
  if (auto made = table().create(io, *place, Link{std::string(target)}); !made)
    return fail(made.error());
  return {};
}

Io<std::string> Tmp::read_link(IoContext& io, std::string_view path) {
  const auto place = table().existing(io, path, LastLink::keep);
  if (!place) return fail(place.error());
  const Link* link = place->found->link();
  if (!link) return fail(Errno::inval);
  return link->target;
}

Io<void> Tmp::set_times(IoContext& io, std::string_view path, wasi::SetTimes times, bool follow) {
  const auto place = table().existing(io, path, last_link(follow));
  if (!place) return fail(place.error());
  set_inode_times(io, *place->found, times);
  return {};
}

}  // namespace

std::shared_ptr<wasi::Node> mount() { return std::make_shared<Tmp>(); }

}  // namespace carrel::capability::tmp
