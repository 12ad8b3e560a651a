#include "wasi/device_folder.h"

#include <utility>

namespace carrel::wasi {
namespace {

FileStat folder_stat() { return {.inode = 1, .type = FileType::folder}; }

class DeviceListing final : public OpenFile {
 public:
  explicit DeviceListing(std::vector<std::string> names) : names_(std::move(names)) {}
  Io<FileStat> stat(IoContext&) override { return folder_stat(); }
  Io<std::vector<DirEntry>> list(IoContext&, std::uint64_t cookie, std::size_t max) override {
    std::vector<DirEntry> entries;
    for (std::size_t i = cookie; i < names_.size() && entries.size() < max; ++i) {
      entries.push_back({.next = i + 1,
                         .inode = device_stat().inode,
                         .type = device_stat().type,
                         .name = names_[i]});
    }
    return entries;
  }

 private:
  std::vector<std::string> names_;
};

}  // namespace

FileStat device_stat() { return {.inode = 2, .type = FileType::character}; }

Io<std::unique_ptr<OpenFile>> DeviceFolder::open(IoContext&, std::string_view path,
                                                 const OpenHow& how) {
  if (path.empty()) {
    if (how.write) return fail(Errno::isdir);
    return std::make_unique<DeviceListing>(names());
  }
  if (const Errno error = look_up(path); error != Errno::success)
    return fail(how.create && error == Errno::noent ? Errno::acces : error);
  if (how.folder) return fail(Errno::notdir);
  if (how.create && how.exclusive) return fail(Errno::exist);
  if (!how.read || !how.write) return fail(Errno::inval);  // half a conversation is none
  return open_device(path);
}

Io<FileStat> DeviceFolder::stat(IoContext&, std::string_view path, bool) {
  if (path.empty()) return folder_stat();
  if (const Errno error = look_up(path); error != Errno::success) return fail(error);
  return device_stat();
}

}  // namespace carrel::wasi
