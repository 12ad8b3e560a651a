// For this room's tests: a writable folder without subfolders, and streams that can be made to
// wait.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>

#include "async/event.h"
#include "wasi/node.h"

namespace carrel::wasi::testing {

class FakeFile final : public OpenFile {
 public:
  FakeFile(std::shared_ptr<std::string> bytes, const OpenHow& how)
      : bytes_(std::move(bytes)), how_(how) {}

  Io<FileStat> stat(IoContext&) override {
    return FileStat{.type = FileType::regular, .size = bytes_->size()};
  }
  Io<std::size_t> read(IoContext& io, Buffers into) override {
    const auto n = read_at(io, into, position_);
    position_ += *n;
    return n;
  }
  Io<std::size_t> write(IoContext& io, ConstBuffers from) override {
    const auto n = write_at(io, from, position_);
    if (n) position_ += *n;
    return n;
  }
  Io<std::size_t> read_at(IoContext&, Buffers into, std::uint64_t at) override {
    std::size_t n = 0;
    for (auto buffer : into) {
      for (std::byte& byte : buffer) {
        if (at + n >= bytes_->size()) return n;
        byte = static_cast<std::byte>((*bytes_)[at + n++]);
      }
    }
    return n;
  }
  Io<std::size_t> write_at(IoContext& io, ConstBuffers from, std::uint64_t at) override {
    std::size_t n = 0;
    for (auto buffer : from) {
      if (!io.charge_memory(static_cast<std::int64_t>(buffer.size()))) return fail(Errno::dquot);
      if (bytes_->size() < at + n + buffer.size()) bytes_->resize(at + n + buffer.size());
      bytes_->replace(at + n, buffer.size(), reinterpret_cast<const char*>(buffer.data()),
                      buffer.size());
      n += buffer.size();
    }
    return n;
  }
  Io<std::uint64_t> seek(IoContext&, std::int64_t by, Whence whence) override {
    const std::int64_t base = whence == Whence::set ? 0
                              : whence == Whence::current
                                  ? static_cast<std::int64_t>(position_)
                                  : static_cast<std::int64_t>(bytes_->size());
    std::int64_t to = 0;
    if (__builtin_add_overflow(base, by, &to) || to < 0 || to > (1 << 20))
      return fail(Errno::inval);
    position_ = static_cast<std::uint64_t>(to);
    return position_;
  }
  bool seekable() const override { return true; }
  Io<void> set_size(IoContext&, std::uint64_t size) override {
    if (size > (1 << 20)) return fail(Errno::fbig);
    bytes_->resize(size);
    return {};
  }
  Io<void> close(IoContext&) override {
    return fails_at_close ? Io<void>(fail(Errno::io)) : Io<void>();
  }

  bool fails_at_close = false;

 private:
  std::shared_ptr<std::string> bytes_;
  OpenHow how_;
  std::uint64_t position_ = 0;
};

// Of each change it says first that it has to wait.
class SlowFile final : public OpenFile {
 public:
  Io<FileStat> stat(IoContext&) override { return FileStat{.type = FileType::regular}; }
  Io<void> set_size(IoContext& io, std::uint64_t) override { return slowly(io); }
  Io<void> set_times(IoContext& io, SetTimes) override { return slowly(io); }
  Io<void> allocate(IoContext& io, std::uint64_t, std::uint64_t) override { return slowly(io); }

 private:
  static async::Task<void> nothing() { co_return; }
  Io<void> slowly(IoContext& io) {
    if (waited_ = !waited_; !waited_) return {};
    io.wait_for(nothing());
    return fail(Errno::again);
  }
  bool waited_ = false;
};

class FakeListing final : public OpenFile {
 public:
  explicit FakeListing(std::vector<std::string> names) : names_(std::move(names)) {}
  Io<FileStat> stat(IoContext&) override { return FileStat{.inode = 7, .type = FileType::folder}; }
  Io<std::vector<DirEntry>> list(IoContext&, std::uint64_t cookie, std::size_t max) override {
    std::vector<DirEntry> entries;
    for (; cookie < names_.size() && entries.size() < max; ++cookie) {
      entries.push_back({cookie + 1, 100 + cookie, FileType::regular, names_[cookie]});
    }
    return entries;
  }

 private:
  std::vector<std::string> names_;
};

class FakeFolder final : public Node {
 public:
  Io<std::unique_ptr<OpenFile>> open(IoContext&, std::string_view path,
                                     const OpenHow& how) override {
    last_how = how;
    if (path.empty()) {
      std::vector<std::string> names;
      for (const auto& [name, bytes] : files) names.push_back(name);
      return std::make_unique<FakeListing>(names);
    }
    if (path == "slow") return std::make_unique<SlowFile>();
    auto found = files.find(path);
    if (found == files.end()) {
      if (!how.create) return fail(Errno::noent);
      found = files.emplace(path, std::make_shared<std::string>()).first;
    }
    if (how.folder) return fail(Errno::notdir);
    if (how.truncate) found->second->clear();
    auto file = std::make_unique<FakeFile>(found->second, how);
    file->fails_at_close = path == "fails";
    return file;
  }
  Io<FileStat> stat(IoContext&, std::string_view path, bool) override {
    if (path.empty()) return FileStat{.inode = 7, .type = FileType::folder};
    const auto found = files.find(path);
    if (found == files.end()) return fail(Errno::noent);
    return FileStat{
        .inode = 8, .type = FileType::regular, .links = 1, .size = found->second->size()};
  }
  Io<void> unlink(IoContext&, std::string_view path) override {
    const auto found = files.find(path);
    if (found == files.end()) return fail(Errno::noent);
    files.erase(found);
    return {};
  }
  Io<void> rename(IoContext&, std::string_view from, std::string_view to) override {
    const auto found = files.find(from);
    if (found == files.end()) return fail(Errno::noent);
    files[std::string(to)] = found->second;
    if (from != to) files.erase(files.find(from));
    return {};
  }
  Io<std::string> read_link(IoContext&, std::string_view) override { return std::string("target"); }

  std::map<std::string, std::shared_ptr<std::string>, std::less<>> files;
  OpenHow last_how;
};

// A stream that a test fills; empty, it makes its reader wait. What is written to it is kept.
struct FakePipe {
  std::string input;
  std::string output;
  bool ended = false;
  bool full = false;
  bool terminal = false;
  int asked = 0;
  async::Event changed;
};

class FakeStream final : public OpenFile {
 public:
  explicit FakeStream(FakePipe& pipe) : pipe_(pipe) {}
  Io<FileStat> stat(IoContext&) override {
    return FileStat{.type = pipe_.terminal ? FileType::character : FileType::unknown};
  }
  Io<std::size_t> read(IoContext& io, Buffers into) override {
    if (const auto ready = readable(io); !ready) return fail(ready.error());
    std::size_t n = 0;
    for (auto buffer : into) {
      const std::size_t some = std::min(buffer.size(), pipe_.input.size());
      std::copy_n(std::as_bytes(std::span(pipe_.input)).begin(), some, buffer.begin());
      pipe_.input.erase(0, some);
      n += some;
    }
    return n;
  }
  Io<std::size_t> write(IoContext& io, ConstBuffers from) override {
    if (const auto ready = writable(io); !ready) return fail(ready.error());
    std::size_t n = 0;
    for (auto buffer : from) {
      pipe_.output.append(reinterpret_cast<const char*>(buffer.data()), buffer.size());
      n += buffer.size();
    }
    return n;
  }
  Io<std::uint64_t> readable(IoContext& io) override {
    ++pipe_.asked;
    if (!pipe_.input.empty() || pipe_.ended) return pipe_.input.size();
    return wait(io);
  }
  Io<std::uint64_t> writable(IoContext& io) override {
    if (!pipe_.full) return 4096;
    return wait(io);
  }

 private:
  static async::Task<void> until_changed(FakePipe* pipe) { co_await pipe->changed; }
  std::unexpected<Errno> wait(IoContext& io) {
    io.wait_for(until_changed(&pipe_));
    return fail(Errno::again);
  }
  FakePipe& pipe_;
};

}  // namespace carrel::wasi::testing
