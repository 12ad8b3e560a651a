// Files that never change, held in memory: an app's assets, configuration, whatever a turn is given
// to read.
//
// Built once, then immutable: one tree may serve the turns of all shards. Contents are shared,
// never copied; an open file keeps its content alive, so a tree may be replaced while turns still
// read from the old one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "wasi/node.h"

namespace carrel::wasi {

using Content = std::shared_ptr<const std::string>;

class ReadOnlyTree final : public Node, public std::enable_shared_from_this<ReadOnlyTree> {
 public:
  // Collects files; the folders above them come by themselves. Listing is in the order of names.
  class Builder {
   public:
    // `modified` in nanoseconds since 1970. Errors: EINVAL for a path that a Node is never asked
    // for (empty, "..", doubled slashes, NUL), EEXIST when taken, ENOTDIR below a file. A refused
    // file leaves the tree as it was.
    Io<void> add(std::string_view path, Content content, std::uint64_t modified = 0);
    Io<void> add_folder(std::string_view path, std::uint64_t modified = 0);
    std::shared_ptr<Node> build() &&;

   private:
    struct Item {
      Content content;  // null: a folder
      std::uint64_t modified = 0;
    };
    Io<void> add_parents(std::string_view path);
    std::map<std::string, Item, std::less<>> items_;
  };

  Io<std::unique_ptr<OpenFile>> open(IoContext& io, std::string_view path,
                                     const OpenHow& how) override;
  Io<FileStat> stat(IoContext& io, std::string_view path, bool follow) override;

  std::vector<DirEntry> list(std::uint32_t folder, std::uint64_t cookie, std::size_t max) const;

 private:
  struct Item {
    std::string name;
    Content content;  // null: a folder
    std::uint64_t modified = 0;
    std::vector<std::uint32_t> children;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  Io<std::uint32_t> find(std::string_view path) const;
  FileStat stat_of(std::uint32_t index) const;
  Io<std::unique_ptr<OpenFile>> refuse_change(std::string_view path, const OpenHow& how) const;

  std::vector<Item> items_;  // the root is the first
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> by_path_;
};

}  // namespace carrel::wasi
