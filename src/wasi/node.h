// Nodes: what can be mounted in a guest's file tree. A capability is a Node; WASI's 46 functions
// know nothing else of it.
//
// A node answers operations on paths below itself and opens files. A path is relative, without
// leading, trailing or doubled slashes, and holds no NUL; "" is the node itself. "." and ".." have
// been resolved against the tree for virtual nodes, and are left as the guest wrote them for nodes
// that say `resolves_dots()` (host folders, where a symbolic link may come before the dots).
//
// Operations never block the thread. One that cannot finish now calls `io.wait_for(task)` and
// answers `Errno::again`; it is asked again when the task has ended. `stat`, `seek`, `set_append`
// and `close` of an open file never wait. Sizes are bytes, times nanoseconds since 1970.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "wasi/errno.h"

namespace carrel::wasi {

enum class FileType : std::uint8_t {
  unknown,
  block,
  character,
  folder,
  regular,
  dgram,
  stream,
  symlink
};

struct FileStat {
  std::uint64_t device = 0;  // 0: the tree numbers its mounts
  std::uint64_t inode = 0;
  FileType type = FileType::unknown;
  std::uint64_t links = 1;
  std::uint64_t size = 0;
  std::uint64_t accessed = 0, modified = 0, changed = 0;
};

// How to open; the bits are WASI's own.
struct OpenHow {
  bool create = false, folder = false, exclusive = false, truncate = false;  // oflags
  bool append = false, nonblock = false, sync = false, data_sync = false;    // fdflags
  bool read = false, write = false;  // from the asked rights
  bool follow = true;                // the last symbolic link
};

struct SetTimes {  // nothing: leave as it is
  std::optional<std::uint64_t> accessed, modified;
};

struct DirEntry {
  std::uint64_t next;  // cookie of the entry after this one, below 2^63
  std::uint64_t inode;
  FileType type;
  std::string name;
};

// What a node may use of the turn it serves. Owner: the turn's file table. Thread: the shard's.
class IoContext {
 public:
  virtual ~IoContext() = default;
  virtual void wait_for(async::Task<void> until) = 0;
  virtual const Clock& clock() const = 0;
  // Takes `bytes` from the turn's private memory (negative gives back). False when over the quota.
  virtual bool charge_memory(std::int64_t bytes) = 0;
};

using Buffers = std::span<const std::span<std::byte>>;
using ConstBuffers = std::span<const std::span<const std::byte>>;

// An open file or folder. Owner: the turn's file table; destroyed at close and at the end of the
// turn. Defaults answer what POSIX says of a file that cannot do it.
class OpenFile {
 public:
  virtual ~OpenFile() = default;
  virtual Io<FileStat> stat(IoContext& io) = 0;

  // Bytes moved; 0 from a read is the end. Never more than asked; may be fewer.
  virtual Io<std::size_t> read(IoContext& io, Buffers into);                       // EBADF
  virtual Io<std::size_t> write(IoContext& io, ConstBuffers from);                 // EBADF
  virtual Io<std::size_t> read_at(IoContext& io, Buffers into, std::uint64_t at);  // ESPIPE
  virtual Io<std::size_t> write_at(IoContext& io, ConstBuffers from, std::uint64_t at);
  enum class Whence : std::uint8_t { set, current, end };
  virtual Io<std::uint64_t> seek(IoContext& io, std::int64_t by, Whence whence);  // ESPIPE
  virtual bool seekable() const { return false; }

  virtual Io<void> set_size(IoContext& io, std::uint64_t size);                    // EINVAL
  virtual Io<void> set_times(IoContext& io, SetTimes times);                       // ENOTSUP
  virtual Io<void> allocate(IoContext& io, std::uint64_t at, std::uint64_t size);  // ENOTSUP
  virtual Io<void> sync(IoContext& io);                                            // nothing to do
  virtual Io<void> set_append(IoContext& io, std::uint16_t fdflags);               // nothing to do

  // Folders: entries from `cookie` on (0: the first), at most `max`, without "." and ".."; empty at
  // the end.
  virtual Io<std::vector<DirEntry>> list(IoContext& io, std::uint64_t cookie,
                                         std::size_t max);  // ENOTDIR

  // Bytes that a read or write would move without waiting, for poll_oneoff; EAGAIN with wait_for:
  // none yet. Files that never wait leave it.
  virtual Io<std::uint64_t> readable(IoContext& io);
  virtual Io<std::uint64_t> writable(IoContext& io);

  // The last word: an error here fails the turn. Called once, before destruction.
  virtual Io<void> close(IoContext& io);
};

// A mounted subtree. Owner: the turn's Tree, or shared by many turns of a shard when it is
// immutable. Defaults answer EROFS to what changes and EINVAL to reading a link.
class Node {
 public:
  virtual ~Node() = default;
  virtual bool resolves_dots() const { return false; }

  virtual Io<std::unique_ptr<OpenFile>> open(IoContext& io, std::string_view path,
                                             const OpenHow& how) = 0;
  virtual Io<FileStat> stat(IoContext& io, std::string_view path, bool follow) = 0;

  virtual Io<void> make_folder(IoContext& io, std::string_view path);
  virtual Io<void> remove_folder(IoContext& io, std::string_view path);
  virtual Io<void> unlink(IoContext& io, std::string_view path);
  virtual Io<void> rename(IoContext& io, std::string_view from, std::string_view to);
  virtual Io<void> link(IoContext& io, std::string_view from, std::string_view to);
  virtual Io<void> symlink(IoContext& io, std::string_view target, std::string_view path);
  virtual Io<std::string> read_link(IoContext& io, std::string_view path);
  virtual Io<void> set_times(IoContext& io, std::string_view path, SetTimes times, bool follow);
};

}  // namespace carrel::wasi
