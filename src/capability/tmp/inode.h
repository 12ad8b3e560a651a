// What `/tmp` is made of: files, folders and symbolic links, and the names that lead to them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "capability/tmp/sparse_bytes.h"

namespace carrel::capability::tmp {

struct Inode;

// A folder's names. Listing follows the order in which they were made: a cookie stays good whatever
// is made or removed meanwhile, and no name is seen twice or missed.
class Names {
 public:
  Inode* find(std::string_view name) const;  // null: none
  void add(std::string_view name, Inode& inode);
  void remove(std::string_view name);
  bool empty() const { return by_name_.empty(); }
  std::vector<wasi::DirEntry> list(std::uint64_t cookie, std::size_t max) const;

 private:
  struct Entry {
    Inode* inode;
    std::uint64_t order;
  };
  using ByName = std::map<std::string, Entry, std::less<>>;
  struct Listed {
    std::uint64_t order;
    const ByName::value_type* entry;  // null: removed
  };
  std::vector<Listed>::const_iterator listed_from(std::uint64_t order) const;

  ByName by_name_;
  std::vector<Listed> by_order_;  // ascending; at most as many removed as present
  std::uint64_t next_order_ = 1;
};

struct Folder {
  Inode* parent = nullptr;  // null: the root, or removed while open
  Names names;
};

struct Link {
  std::string target;
};

struct Inode {
  std::variant<SparseBytes, Folder, Link> body;
  std::uint64_t id = 0;
  std::size_t slot = 0;     // its place in the table of all
  std::uint64_t links = 0;  // names that lead here
  std::uint64_t opens = 0;  // open files that hold it
  std::uint64_t accessed = 0, modified = 0, changed = 0;

  SparseBytes* bytes() { return std::get_if<SparseBytes>(&body); }
  Folder* folder() { return std::get_if<Folder>(&body); }
  Link* link() { return std::get_if<Link>(&body); }
  wasi::FileType type() const;
  wasi::FileStat stat() const;
  void touch(std::uint64_t now) { modified = changed = now; }
};

}  // namespace carrel::capability::tmp
