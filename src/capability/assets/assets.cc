#include "capability/assets/assets.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "capability/folder/folder.h"
#include "wasi/read_only_tree.h"

namespace carrel::capability::assets {
namespace {

using wasi::Errno;
using wasi::FileType;
using wasi::Io;

constexpr std::size_t kReadAtOnce = 64 << 10;
constexpr std::size_t kListAtOnce = 256;

// Reading needs no turn.
class NoTurn final : public wasi::IoContext {
 public:
  void wait_for(async::Task<void>) override {}
  const Clock& clock() const override { return system_clock(); }
  bool charge_memory(std::int64_t) override { return false; }
};

// Reads a tree of files, folder by folder, until all is read, it is too much, or something fails.
class Snapshot {
 public:
  Snapshot(wasi::Node& from, SnapshotLimits limits) : from_(from), left_(limits) {}

  // Null: better read from the disk.
  Io<std::shared_ptr<wasi::Node>> take() {
    folders_.emplace_back();
    while (!folders_.empty() && !too_much_) {
      const std::string folder = std::exchange(folders_.back(), {});
      folders_.pop_back();
      at_ = folder;
      if (auto done = take_folder(folder); !done) return wasi::fail(done.error());
    }
    if (too_much_) return nullptr;
    return std::move(files_).build();
  }

  // What was being read when `take` failed.
  const std::string& at() const { return at_; }

 private:
  Io<void> take_folder(const std::string& path) {
    const auto folder = from_.open(io_, path, {.folder = true, .read = true});
    if (!folder) return wasi::fail(folder.error());
    for (std::uint64_t cookie = 0; !too_much_;) {
      const auto entries = (*folder)->list(io_, cookie, kListAtOnce);
      if (!entries) return wasi::fail(entries.error());
      if (entries->empty()) break;
      for (const auto& entry : *entries) {
        if (auto done = take_entry(path.empty() ? entry.name : path + "/" + entry.name); !done)
          return done;
      }
      cookie = entries->back().next;
    }
    return {};
  }

  Io<void> take_entry(std::string path) {
    at_ = path;
    const auto itself = from_.stat(io_, path, false);
    if (!itself) return unless_gone(itself.error());
    const bool is_link = itself->type == FileType::symlink;
    const auto status = is_link ? from_.stat(io_, path, true) : itself;
    if (!status) return {};  // a link that leads nowhere, or outside
    if (status->type == FileType::folder) {
      if (is_link || left_.files == 0) return give_up();
      --left_.files;
      static_cast<void>(files_.add_folder(path, status->modified));
      folders_.push_back(std::move(path));
      return {};
    }
    return status->type == FileType::regular ? take_file(path, *status) : Io<void>{};
  }

  Io<void> take_file(const std::string& path, const wasi::FileStat& status) {
    if (left_.files == 0 || status.size > left_.bytes) return give_up();
    const auto file = from_.open(io_, path, {.read = true});
    if (!file) return unless_gone(file.error());
    auto content = read_all(**file, status.size);
    if (!content) return wasi::fail(content.error());
    if (content->size() > left_.bytes) return give_up();
    --left_.files;
    left_.bytes -= content->size();
    return files_.add(path, std::make_shared<const std::string>(std::move(*content)),
                      status.modified);
  }

  // Stops soon behind what is left, should the file grow meanwhile.
  Io<std::string> read_all(wasi::OpenFile& file, std::uint64_t expected) {
    std::string content;
    content.reserve(expected);
    while (content.size() <= left_.bytes) {
      std::array<std::byte, kReadAtOnce> buffer;
      const std::span<std::byte> into(buffer);
      const auto done = file.read(io_, {&into, 1});
      if (!done) return wasi::fail(done.error());
      if (*done == 0) break;
      content.append(reinterpret_cast<const char*>(buffer.data()), *done);
    }
    return content;
  }

  // A file that was removed since it was listed is no failure.
  static Io<void> unless_gone(Errno error) {
    if (error == Errno::noent) return {};
    return wasi::fail(error);
  }

  Io<void> give_up() {
    too_much_ = true;
    return {};
  }

  wasi::Node& from_;
  SnapshotLimits left_;
  NoTurn io_;
  wasi::ReadOnlyTree::Builder files_;
  std::vector<std::string> folders_;
  std::string at_;
  bool too_much_ = false;
};

Error unreadable(const std::filesystem::path& file, Errno error) {
  const bool denied = error == Errno::acces || error == Errno::perm;
  return Error(denied ? Code::permission_denied : Code::io,
               fmt::format("cannot read the asset {}: {}", file.string(),
                           denied ? "permission denied"
                                  : fmt::format("WASI error {}", static_cast<int>(error))),
               "let the user that runs Carrel read it, or move it out of the assets");
}

}  // namespace

Result<std::shared_ptr<wasi::Node>> mount(const std::filesystem::path& folder,
                                          SnapshotLimits limits) {
  CARREL_TRY(auto disk, folder::mount(folder, folder::Access::read_only));
  Snapshot snapshot(*disk, limits);
  const auto taken = snapshot.take();
  if (!taken) return std::unexpected(unreadable(folder / snapshot.at(), taken.error()));
  return *taken ? *taken : disk;
}

}  // namespace carrel::capability::assets
