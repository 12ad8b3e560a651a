// All inodes of one `/tmp`, and how a path leads to one.
//
// Inodes live in one table and point at each other, so that the deepest tree is destroyed by a
// loop. One is freed when no name and no open file holds it; its room is given back to the turn
// then.
//
// Owner: the `/tmp` node of one turn, and the files it opened. Thread: the turn's shard.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "capability/tmp/inode.h"

namespace carrel::capability::tmp {

enum class LastLink : std::uint8_t { follow, keep };

// Where a path ends: the folder that holds the last name, and what is there (null: nothing yet).
// The root has no parent and no name.
struct Place {
  Inode* parent = nullptr;
  std::string name;
  Inode* found = nullptr;
};

class InodeTable {
 public:
  static constexpr std::size_t kMaxInodes = 1 << 15;  // destroyed at once, at the end of a turn
  static constexpr std::size_t kMaxName = 255;

  // The root is made at the first use: most turns never touch `/tmp`.
  Inode& root(wasi::IoContext& io);

  // Errors: ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG; EPERM when a link leads out of `/tmp`.
  wasi::Io<Place> resolve(wasi::IoContext& io, std::string_view path, LastLink last);
  // The same; nothing there is ENOENT.
  wasi::Io<Place> existing(wasi::IoContext& io, std::string_view path, LastLink last);

  // A new inode at `place`, which holds nothing. Errors: EDQUOT, ENOSPC.
  wasi::Io<Inode*> create(wasi::IoContext& io, const Place& place, decltype(Inode::body) body);
  // One more name for `inode`. Errors: EDQUOT.
  wasi::Io<void> add_name(wasi::IoContext& io, const Place& place, Inode& inode);
  void remove_name(wasi::IoContext& io, const Place& place);
  // `from` gets the name of `to`, which holds nothing. Errors: EDQUOT.
  wasi::Io<void> move_name(wasi::IoContext& io, const Place& from, const Place& to);

  void hold(Inode& inode) { ++inode.opens; }
  void let_go(wasi::IoContext& io, Inode& inode);
  // An open file that was destroyed without a close: the turn is over, the table goes with it.
  void abandon(Inode& inode) { --inode.opens; }

 private:
  void free_unheld(wasi::IoContext& io, Inode& inode);

  std::vector<std::unique_ptr<Inode>> all_;
  Inode* root_ = nullptr;
  std::uint64_t next_id_ = 1;
};

// Nanoseconds since 1970, by the turn's clock.
std::uint64_t now(wasi::IoContext& io);

}  // namespace carrel::capability::tmp
