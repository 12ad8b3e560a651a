#include "wasi/place.h"

#include <functional>

#include "base/result.h"

namespace carrel::wasi {
namespace {

FileStat stat_above_mounts(std::string_view path) {
  return {.inode = std::hash<std::string_view>()(path) | 1, .type = FileType::folder};
}

// Its entries are the tree's mounts, which fd_readdir lists itself.
class FolderAboveMounts final : public OpenFile {
 public:
  explicit FolderAboveMounts(std::string_view path) : stat_(stat_above_mounts(path)) {}
  Io<FileStat> stat(IoContext&) override { return stat_; }
  Io<std::vector<DirEntry>> list(IoContext&, std::uint64_t, std::size_t) override {
    return std::vector<DirEntry>();
  }

 private:
  FileStat stat_;
};

FileStat numbered(FileStat stat, std::uint32_t mount) {
  if (stat.device == 0) stat.device = mount;
  return stat;
}

}  // namespace

Io<Location> locate(Context& c, Fd folder, GuestPtr path, std::uint32_t size, Rights needed) {
  CARREL_TRY(const std::string_view text, c.text(path, size));
  CARREL_TRY(Descriptor * from, c.files().get(folder));
  if (!from->is_folder()) return fail(Errno::notdir);
  if ((needed & ~from->rights) != 0) return fail(Errno::notcapable);
  return resolve(*c.state().tree, from->path, text);
}

Io<std::unique_ptr<OpenFile>> open_place(Context& c, const Location& place, const OpenHow& how) {
  if (place.node != nullptr) {
    auto file = place.node->open(c, place.rest, how);
    if (file || file.error() != Errno::noent || !place.folder_above_mounts) return file;
  }
  if (!place.folder_above_mounts) return fail(how.create ? Errno::rofs : Errno::noent);
  if (how.create && how.exclusive) return fail(Errno::exist);
  if (how.write || how.truncate || how.create) return fail(Errno::isdir);
  return std::make_unique<FolderAboveMounts>(place.path);
}

Io<FileStat> stat_place(Context& c, const Location& place, bool follow) {
  if (place.node != nullptr) {
    auto stat = place.node->stat(c, place.rest, follow);
    if (stat) return numbered(*stat, place.mount);
    if (stat.error() != Errno::noent || !place.folder_above_mounts) return stat;
  }
  if (!place.folder_above_mounts) return fail(Errno::noent);
  return stat_above_mounts(place.path);
}

Io<OpenFile*> file_of(Context& c, Descriptor& descriptor) {
  if (!descriptor.file) {
    const Tree::Place found = c.state().tree->find(descriptor.path);
    const Location place{.node = found.node,
                         .mount = found.mount,
                         .folder_above_mounts = found.folder_above_mounts,
                         .path = descriptor.path,
                         .rest = std::string(found.rest)};
    CARREL_TRY(descriptor.file, open_place(c, place, {.folder = true, .read = true}));
    descriptor.mount = found.mount;
  }
  return descriptor.file.get();
}

Io<FileStat> stat_of(Context& c, Descriptor& descriptor) {
  CARREL_TRY(OpenFile * file, file_of(c, descriptor));
  CARREL_TRY(const FileStat stat, file->stat(c));
  return numbered(stat, descriptor.mount);
}

Io<void> check_folder(Context& c, const Location& place) {
  if (!place.must_be_folder) return {};
  CARREL_TRY(const FileStat stat, stat_place(c, place, true));
  if (stat.type != FileType::folder) return fail(Errno::notdir);
  return {};
}

}  // namespace carrel::wasi
