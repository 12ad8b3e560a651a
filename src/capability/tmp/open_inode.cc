#include "capability/tmp/open_inode.h"

#include <algorithm>
#include <utility>

#include "wasi/seek.h"

namespace carrel::capability::tmp {
namespace {

using wasi::Errno;
using wasi::fail;
using wasi::Io;
using wasi::IoContext;

constexpr std::uint16_t kAppend = 1;  // WASI's fdflags

class OpenInode : public wasi::OpenFile {
 public:
  OpenInode(std::shared_ptr<InodeTable> table, Inode& inode)
      : table_(std::move(table)), inode_(&inode) {
    table_->hold(inode);
  }
  ~OpenInode() override {
    if (inode_) table_->abandon(*inode_);
  }
  OpenInode(const OpenInode&) = delete;
  OpenInode& operator=(const OpenInode&) = delete;

  Io<wasi::FileStat> stat(IoContext&) override { return inode_->stat(); }
  Io<void> set_times(IoContext& io, wasi::SetTimes times) override {
    set_inode_times(io, *inode_, times);
    return {};
  }
  Io<void> close(IoContext& io) override {
    if (inode_) table_->let_go(io, *std::exchange(inode_, nullptr));
    return {};
  }

 protected:
  Inode& inode() { return *inode_; }

 private:
  std::shared_ptr<InodeTable> table_;
  Inode* inode_;  // null: closed
};

class OpenFolder final : public OpenInode {
 public:
  using OpenInode::OpenInode;
  Io<std::vector<wasi::DirEntry>> list(IoContext&, std::uint64_t cookie, std::size_t max) override {
    return inode().folder()->names.list(cookie, max);
  }
};

class OpenBytes final : public OpenInode {
 public:
  OpenBytes(std::shared_ptr<InodeTable> table, Inode& inode, const wasi::OpenHow& how)
      : OpenInode(std::move(table), inode),
        read_(how.read),
        write_(how.write),
        append_(how.append) {}

  Io<std::size_t> read(IoContext&, wasi::Buffers into) override {
    if (!read_) return fail(Errno::badf);
    const std::size_t done = bytes().read(into, position_);
    position_ += done;
    return done;
  }

  Io<std::size_t> read_at(IoContext&, wasi::Buffers into, std::uint64_t at) override {
    if (!read_) return fail(Errno::badf);
    return bytes().read(into, at);
  }

  Io<std::size_t> write(IoContext& io, wasi::ConstBuffers from) override {
    const std::uint64_t at = append_ ? bytes().size() : position_;
    const auto done = write_at(io, from, at);
    if (done) position_ = at + *done;
    return done;
  }

  Io<std::size_t> write_at(IoContext& io, wasi::ConstBuffers from, std::uint64_t at) override {
    if (!write_) return fail(Errno::badf);
    const auto done = bytes().write(io, from, at);
    if (done && *done > 0) inode().touch(now(io));
    return done;
  }

  Io<std::uint64_t> seek(IoContext&, std::int64_t by, Whence whence) override {
    const auto to = wasi::seek_to({.position = position_, .size = bytes().size()}, by, whence);
    if (to) position_ = *to;
    return to;
  }
  bool seekable() const override { return true; }

  Io<void> set_size(IoContext& io, std::uint64_t size) override {
    if (!write_) return fail(Errno::inval);
    auto done = bytes().resize(io, size);
    if (done) inode().touch(now(io));
    return done;
  }

  Io<void> set_append(IoContext&, std::uint16_t fdflags) override {
    append_ = (fdflags & kAppend) != 0;
    return {};
  }

  Io<std::uint64_t> readable(IoContext&) override {
    return bytes().size() - std::min(bytes().size(), position_);
  }
  Io<std::uint64_t> writable(IoContext&) override { return SparseBytes::kMaxTransfer; }

 private:
  SparseBytes& bytes() { return *inode().bytes(); }

  std::uint64_t position_ = 0;
  bool read_, write_, append_;
};

}  // namespace

std::unique_ptr<wasi::OpenFile> open_bytes(std::shared_ptr<InodeTable> table, Inode& inode,
                                           const wasi::OpenHow& how) {
  return std::make_unique<OpenBytes>(std::move(table), inode, how);
}

std::unique_ptr<wasi::OpenFile> open_folder(std::shared_ptr<InodeTable> table, Inode& inode) {
  return std::make_unique<OpenFolder>(std::move(table), inode);
}

void set_inode_times(IoContext& io, Inode& inode, wasi::SetTimes times) {
  if (times.accessed) inode.accessed = *times.accessed;
  if (times.modified) inode.modified = *times.modified;
  inode.changed = now(io);
}

}  // namespace carrel::capability::tmp
