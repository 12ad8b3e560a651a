// fd_readdir: ".", "..", the mounts below the folder, then the node's own entries.
#include <algorithm>
#include <functional>

#include "base/result.h"
#include "wasi/calls.h"
#include "wasi/iovec.h"
#include "wasi/place.h"

namespace carrel::wasi {
namespace {

constexpr std::size_t kMaxEntries = 1000;  // a call, before others run

// Cookies: 0 and 1 for the dots, then the mounts, then the node's own with the highest bit set.
constexpr u64 kNodeCookie = u64{1} << 63;
constexpr u64 kFirstMount = 2;

// Fills the guest's buffer with entries; the last may be cut off, which tells it that there are
// more.
class Listing {
 public:
  Listing(std::span<std::byte> buffer, u64 used)
      : buffer_(buffer), used_(static_cast<std::size_t>(used)) {}

  bool full() const { return used_ == buffer_.size(); }
  std::size_t used() const { return used_; }
  std::size_t left() const { return buffer_.size() - used_; }

  void add(u64 next, u64 inode, FileType type, std::string_view name) {
    Layout<kDirentSize> head;
    head.put(0, next).put(8, inode).put(16, static_cast<u32>(name.size())).put(20, type);
    append(head.bytes());
    append(std::as_bytes(std::span(name)));
  }

 private:
  void append(std::span<const std::byte> bytes) {
    const std::size_t n = std::min(bytes.size(), left());
    std::copy_n(bytes.begin(), n, buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ += n;
  }

  std::span<std::byte> buffer_;
  std::size_t used_;
};

class Reader {
 public:
  Reader(Context& c, Descriptor& folder, OpenFile& file, Listing& listing, u64 cookie)
      : c_(c),
        folder_(folder),
        file_(file),
        listing_(listing),
        cookie_(cookie),
        mounts_(c.state().tree->mounts_below(folder.path)) {}

  u64 cookie() const { return cookie_; }

  // True at the end of the folder.
  Io<bool> read() {
    for (std::size_t entries = 0; !listing_.full() && entries < kMaxEntries;) {
      if (cookie_ < kNodeCookie) {
        CARREL_TRY_VOID(add_own());
        ++entries;
        continue;
      }
      const std::size_t wanted =
          std::min(listing_.left() / (kDirentSize + 8) + 1, kMaxEntries - entries);
      CARREL_TRY(const auto list, file_.list(c_, cookie_ & ~kNodeCookie, wanted));
      if (list.empty()) return true;
      add(list);
      entries += list.size();
    }
    return false;
  }

 private:
  Io<void> add_own() {
    if (cookie_ < kFirstMount) {
      CARREL_TRY(const FileStat self, stat_of(c_, folder_));
      listing_.add(cookie_ + 1, self.inode, FileType::folder, cookie_ == 0 ? "." : "..");
    } else if (const u64 index = cookie_ - kFirstMount; index < mounts_.size()) {
      const std::string_view name = mounts_[static_cast<std::size_t>(index)];
      // Some programs take an entry without a number for a removed one.
      listing_.add(cookie_ + 1, std::hash<std::string_view>()(name) | 1, FileType::folder, name);
    } else {
      cookie_ = kNodeCookie;
      return {};
    }
    ++cookie_;
    return {};
  }

  // Stops at the entry that no longer fits: what is behind it is read again.
  void add(const std::vector<DirEntry>& list) {
    for (const DirEntry& entry : list) {
      const u64 next = entry.next | kNodeCookie;
      if (std::ranges::find(mounts_, entry.name) == mounts_.end()) {
        listing_.add(next, entry.inode, entry.type, entry.name);
      }
      cookie_ = next;
      if (listing_.full()) return;
    }
  }

  Context& c_;
  Descriptor& folder_;
  OpenFile& file_;
  Listing& listing_;
  u64 cookie_;
  std::vector<std::string_view> mounts_;
};

}  // namespace

Io<void> fd_readdir(Context& c, Fd fd, GuestPtr buffer, u32 size, u64 cookie, GuestPtr used) {
  CARREL_TRY(auto out, c.output<u32>(used));
  CARREL_TRY(auto bytes, c.slice(buffer, size));
  CARREL_TRY(Descriptor * folder, c.files().get(fd));
  if (!folder->is_folder()) return fail(Errno::notdir);
  CARREL_TRY(folder, c.files().get(fd, right::kReaddir));
  CARREL_TRY(OpenFile * file, file_of(c, *folder));
  Progress& progress = c.progress();
  Listing listing(bytes, progress.done);
  Reader reader(c, *folder, *file, listing, progress.done == 0 ? cookie : progress.cookie);
  const auto ended = reader.read();
  progress.done = listing.used();
  progress.cookie = reader.cookie();
  if (!ended) return fail(ended.error());
  if (!*ended && !listing.full()) return fail(c.yield());
  out.set(static_cast<u32>(listing.used()));
  return {};
}

}  // namespace carrel::wasi
