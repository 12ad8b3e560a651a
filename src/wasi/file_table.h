// A guest's descriptors: numbers to open files, the lowest free number first, as POSIX has it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "wasi/node.h"
#include "wasi/rights.h"

namespace carrel::wasi {

enum class Fd : std::uint32_t {};

struct Descriptor {
  std::unique_ptr<OpenFile> file;  // null: a preopened folder that nobody has read yet
  FileType type = FileType::unknown;
  std::uint16_t flags = 0;  // WASI's fdflags
  std::uint32_t mount = 0;  // the tree's number of the mount it is in
  Rights rights = 0;
  Rights inheriting = 0;  // folders: for what is opened through it
  bool preopened = false;
  std::string preopen_name;
  std::string path;  // folders: the place in the tree

  bool is_folder() const { return type == FileType::folder; }
};

// Owner: the turn's Wasi. Thread: its shard. A pointer it gives is good until the next `add`,
// `take` or `renumber`.
class FileTable {
 public:
  explicit FileTable(std::size_t max) : max_(max) { slots_.reserve(8); }

  // EMFILE when full, which `has_room` tells beforehand.
  Io<Fd> add(Descriptor descriptor);
  bool has_room() const { return open_ < max_; }
  // For start: the slot after the last, free if the file is null.
  void append(Descriptor descriptor, bool open);

  // EBADF: not open. With rights: EBADF for lack of those to read or write, else ENOTCAPABLE.
  Io<Descriptor*> get(Fd fd);
  Io<Descriptor*> get(Fd fd, Rights needed);

  // Takes it out of the table.
  Io<Descriptor> take(Fd fd);
  // Moves `from` to the number of `to`; gives what was there.
  Io<Descriptor> renumber(Fd from, Fd to);

  std::size_t size() const { return slots_.size(); }

 private:
  struct Slot {
    bool open = false;
    Descriptor descriptor;
  };
  Slot* find(Fd fd);

  std::size_t max_;
  std::size_t open_ = 0;
  std::size_t lowest_free_ = 0;  // no slot below it is free
  std::vector<Slot> slots_;
};

}  // namespace carrel::wasi
