// Hands: of each blob that a turn uses, the one part that is in memory.
//
// A hand is shared by the open files of its blob. What was changed in it is written to the store's
// parts when another part is wanted, when room is needed, or before the commit; what was not is
// dropped with the last open file.
//
// Owner: the turn's tree, its open files and, once something was changed, the turn's state: the
// pins must hold until the commit. Thread: the shard's; files are read and written on the I/O pool.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/task.h"
#include "store/store.h"
#include "turn/state.h"
#include "wasi/node.h"

namespace carrel::capability::blob {

struct Hand {
  store::Place place;
  std::string name;
  std::optional<std::uint64_t> index;  // which part; nothing: none
  std::string bytes;
  bool changed = false;                         // not in the store's parts yet
  unsigned opens = 0;                           // open files
  std::optional<Error> failure = std::nullopt;  // of a part's read or write, not told yet
};

class Hands : public std::enable_shared_from_this<Hands> {
 public:
  Hands(turn::State& state, TenantName tenant) : state_(state), tenant_(std::move(tenant)) {}

  Hand& of(const store::Place& place, const std::string& name);
  void empty(Hand& hand);
  void move(Hand& from, Hand& to);
  void close(wasi::IoContext& io, Hand& hand);
  void abandon(Hand& hand) { --hand.opens; }  // the turn is over

  // Part `index` of the blob is in its hand; `manifest` is its record, which may be shorter by this
  // part: then it is a new one. Errors: EAGAIN, EIO, EDQUOT.
  wasi::Io<void> bring(wasi::IoContext& io, Hand& hand, std::string_view manifest,
                       std::uint64_t index);
  // The part in the hand may grow to `size`; it is changed from here on. Errors: EAGAIN, EDQUOT.
  wasi::Io<void> change(wasi::IoContext& io, Hand& hand, std::size_t size);

 private:
  wasi::Io<void> make_room(wasi::IoContext& io, const Hand& hand, std::size_t size);
  static async::Task<void> load(std::shared_ptr<Hands> self, Hand* hand, std::uint64_t index,
                                store::PartHash hash, std::size_t size);
  static async::Task<void> save(std::shared_ptr<Hands> self, Hand* hand);
  static async::Task<Result<void>> finish(std::shared_ptr<Hands> self);
  Result<void> enter(Hand& hand, std::uint64_t index, const store::PartHash& hash);

  turn::State& state_;
  TenantName tenant_;
  std::map<std::pair<std::string, std::string>, Hand> hands_;  // by store and name
  std::vector<store::Parts::Pin> pins_;                        // of all that was written
  std::uint64_t charged_ = 0;                                  // bytes of the turn's memory
  bool finishes_ = false;                                      // in the turn's `before_commit`
};

}  // namespace carrel::capability::blob
