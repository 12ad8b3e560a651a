#include "wasi/read_only_tree.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "wasi/seek.h"

namespace carrel::wasi {
namespace {

constexpr std::size_t kMaxTransfer = 256 << 10;

// The folder a path is in; "" for the root's own entries.
std::string_view parent_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

bool well_formed(std::string_view path) {
  if (path.empty() || path.contains('\0')) return false;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    const std::string_view name = path.substr(at, slash - at);
    if (name.empty() || name == "." || name == "..") return false;
    at = slash + 1;
  }
  return true;
}

class OpenContent final : public OpenFile {
 public:
  OpenContent(Content content, const FileStat& stat) : content_(std::move(content)), stat_(stat) {}

  Io<FileStat> stat(IoContext&) override { return stat_; }
  Io<std::size_t> read(IoContext& io, Buffers into) override {
    const auto done = read_at(io, into, position_);
    if (done) position_ += *done;
    return done;
  }
  Io<std::size_t> read_at(IoContext&, Buffers into, std::uint64_t at) override {
    std::string_view left =
        std::string_view(*content_).substr(std::min<std::uint64_t>(at, content_->size()));
    left = left.substr(0, kMaxTransfer);
    std::size_t done = 0;
    for (const auto& buffer : into) {
      const std::string_view part = left.substr(done, buffer.size());
      if (part.empty()) continue;
      std::memcpy(buffer.data(), part.data(), part.size());
      done += part.size();
    }
    return done;
  }
  Io<std::uint64_t> seek(IoContext&, std::int64_t by, Whence whence) override {
    const auto to = seek_to({.position = position_, .size = content_->size()}, by, whence);
    if (to) position_ = *to;
    return to;
  }
  bool seekable() const override { return true; }
  Io<void> set_times(IoContext&, SetTimes) override { return fail(Errno::rofs); }
  Io<std::uint64_t> readable(IoContext&) override {
    return content_->size() - std::min<std::uint64_t>(position_, content_->size());
  }

 private:
  Content content_;
  FileStat stat_;
  std::uint64_t position_ = 0;
};

class OpenListing final : public OpenFile {
 public:
  OpenListing(std::shared_ptr<const ReadOnlyTree> tree, std::uint32_t folder, const FileStat& stat)
      : tree_(std::move(tree)), folder_(folder), stat_(stat) {}

  Io<FileStat> stat(IoContext&) override { return stat_; }
  Io<void> set_times(IoContext&, SetTimes) override { return fail(Errno::rofs); }
  Io<std::vector<DirEntry>> list(IoContext&, std::uint64_t cookie, std::size_t max) override {
    return tree_->list(folder_, cookie, max);
  }

 private:
  std::shared_ptr<const ReadOnlyTree> tree_;
  std::uint32_t folder_;
  FileStat stat_;
};

}  // namespace

Io<void> ReadOnlyTree::Builder::add_parents(std::string_view path) {
  std::vector<std::string_view> missing;
  for (auto folder = parent_of(path); !folder.empty(); folder = parent_of(folder)) {
    const auto found = items_.find(folder);
    if (found == items_.end()) {
      missing.push_back(folder);
      continue;
    }
    if (found->second.content) return fail(Errno::notdir);
    break;  // what is above a folder has been added with it
  }
  for (const auto folder : missing) items_.emplace(folder, Item{});
  return {};
}

Io<void> ReadOnlyTree::Builder::add(std::string_view path, Content content,
                                    std::uint64_t modified) {
  if (!well_formed(path) || !content) return fail(Errno::inval);
  if (items_.contains(path)) return fail(Errno::exist);
  if (auto added = add_parents(path); !added) return added;
  items_.emplace(path, Item{std::move(content), modified});
  return {};
}

Io<void> ReadOnlyTree::Builder::add_folder(std::string_view path, std::uint64_t modified) {
  if (!well_formed(path)) return fail(Errno::inval);
  const auto found = items_.find(path);
  if (found != items_.end() && found->second.content) return fail(Errno::exist);
  if (auto added = add_parents(path); !added) return added;
  items_[std::string(path)].modified = modified;
  return {};
}

std::shared_ptr<Node> ReadOnlyTree::Builder::build() && {
  auto tree = std::make_shared<ReadOnlyTree>();
  tree->items_.resize(1);
  tree->by_path_.emplace("", 0);
  for (auto& [path, item] : items_) {  // in the order of paths: a folder comes before what is in it
    const auto index = static_cast<std::uint32_t>(tree->items_.size());
    const std::string_view folder = parent_of(path);
    const std::string_view name =
        std::string_view(path).substr(folder.empty() ? 0 : folder.size() + 1);
    tree->items_[tree->by_path_.find(folder)->second].children.push_back(index);
    tree->items_.push_back({std::string(name), std::move(item.content), item.modified, {}});
    tree->by_path_.emplace(path, index);
  }
  return tree;
}

Io<std::uint32_t> ReadOnlyTree::find(std::string_view path) const {
  if (const auto found = by_path_.find(path); found != by_path_.end()) return found->second;
  while (!path.empty()) {
    path = parent_of(path);
    const auto above = by_path_.find(path);
    if (above == by_path_.end()) continue;
    return fail(items_[above->second].content ? Errno::notdir : Errno::noent);
  }
  return fail(Errno::noent);
}

FileStat ReadOnlyTree::stat_of(std::uint32_t index) const {
  const Item& item = items_[index];
  return {.inode = index + 1ULL,
          .type = item.content ? FileType::regular : FileType::folder,
          .size = item.content ? item.content->size() : 0,
          .accessed = item.modified,
          .modified = item.modified,
          .changed = item.modified};
}

Io<std::unique_ptr<OpenFile>> ReadOnlyTree::refuse_change(std::string_view path,
                                                          const OpenHow& how) const {
  const auto found = find(path);
  if (found) {
    if (how.create && how.exclusive) return fail(Errno::exist);
    return fail(items_[*found].content ? Errno::rofs : Errno::isdir);
  }
  if (!how.create) return fail(found.error());
  const auto parent = find(parent_of(path));
  if (!parent) return fail(parent.error());
  return fail(items_[*parent].content ? Errno::notdir : Errno::rofs);
}

Io<std::unique_ptr<OpenFile>> ReadOnlyTree::open(IoContext&, std::string_view path,
                                                 const OpenHow& how) {
  const auto found = find(path);
  const bool changes =
      how.truncate || (how.write && !how.folder) || (how.create && (!found || how.exclusive));
  if (changes) return refuse_change(path, how);
  if (!found) return fail(found.error());
  const FileStat stat = stat_of(*found);
  if (const Content& content = items_[*found].content) {
    if (how.folder) return fail(Errno::notdir);
    return std::make_unique<OpenContent>(content, stat);
  }
  return std::make_unique<OpenListing>(shared_from_this(), *found, stat);
}

Io<FileStat> ReadOnlyTree::stat(IoContext&, std::string_view path, bool) {
  const auto found = find(path);
  if (!found) return fail(found.error());
  return stat_of(*found);
}

std::vector<DirEntry> ReadOnlyTree::list(std::uint32_t folder, std::uint64_t cookie,
                                         std::size_t max) const {
  const auto& children = items_[folder].children;
  std::vector<DirEntry> entries;
  for (std::uint64_t at = cookie; at < children.size() && entries.size() < max; ++at) {
    const Item& item = items_[children[at]];
    const FileType type = item.content ? FileType::regular : FileType::folder;
    entries.push_back(
        {.next = at + 1, .inode = children[at] + 1ULL, .type = type, .name = item.name});
  }
  return entries;
}

}  // namespace carrel::wasi
