#include "capability/folder/host_listing.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "capability/folder/host_errno.h"
#include "capability/folder/host_file.h"

namespace carrel::capability::folder {
namespace {

using wasi::fail;
using wasi::FileType;

// getdents64's record; the name follows it.
struct Record {
  std::uint64_t inode;
  std::int64_t next;
  std::uint16_t size;
  std::uint8_t type;
};
constexpr std::size_t kNameAt = offsetof(Record, type) + 1;

FileType entry_type(int fd, std::uint8_t type, const char* name) {
  switch (type) {
    case DT_REG:
      return FileType::regular;
    case DT_DIR:
      return FileType::folder;
    case DT_LNK:
      return FileType::symlink;
    case DT_BLK:
      return FileType::block;
    case DT_CHR:
      return FileType::character;
    case DT_SOCK:
      return FileType::stream;
    case DT_UNKNOWN:
      break;  // the file system does not say: ask
    default:
      return FileType::unknown;
  }
  struct stat status{};
  if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return FileType::unknown;
  return from_host_stat(status).type;
}

}  // namespace

wasi::Io<std::vector<wasi::DirEntry>> list_host_folder(int fd, std::uint64_t cookie,
                                                       std::size_t max) {
  std::vector<wasi::DirEntry> entries;
  if (cookie > INT64_MAX) return fail(wasi::Errno::inval);
  if (lseek(fd, static_cast<off_t>(cookie), SEEK_SET) < 0) return fail(last_host_error());
  alignas(8) std::array<char, 32 << 10> buffer;
  // A buffer may hold nothing but "." and "..": that is not the end.
  while (entries.empty() && max > 0) {
    const long filled = syscall(SYS_getdents64, fd, buffer.data(), buffer.size());
    if (filled < 0) return fail(last_host_error());
    if (filled == 0) break;
    for (long at = 0; at < filled && entries.size() < max;) {
      Record record{};
      std::memcpy(&record, buffer.data() + at, kNameAt);
      const char* name = buffer.data() + at + kNameAt;
      at += record.size;
      if (std::string_view(name) == "." || std::string_view(name) == "..") continue;
      entries.push_back({.next = static_cast<std::uint64_t>(record.next),
                         .inode = record.inode,
                         .type = entry_type(fd, record.type, name),
                         .name = name});
    }
  }
  return entries;
}

}  // namespace carrel::capability::folder
