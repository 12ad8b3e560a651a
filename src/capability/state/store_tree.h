// A mounted kind of state: a folder for each granted store, and below it a store's names as paths.
//
// A name "a/b" is the file `a/b`; folders are there while names are below them, or when this turn
// has made them. A name may be both a file and a folder: opened as a file it is the value. A store
// that is not granted does not exist. What a file is, and what can be done to one, is the kind's.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "capability/state/names.h"
#include "store/transaction.h"
#include "turn/grants.h"
#include "wasi/node.h"

namespace carrel::capability::state {

// Owner: the turn's tree. Thread: its shard. `transaction` and `grants` outlive it.
class StoreTree : public wasi::Node {
 public:
  StoreTree(store::Transaction& transaction, store::Kind kind,
            const std::vector<turn::StoreGrant>& grants)
      : transaction_(transaction), kind_(kind), grants_(grants) {}

  wasi::Io<std::unique_ptr<wasi::OpenFile>> open(wasi::IoContext& io, std::string_view path,
                                                 const wasi::OpenHow& how) final;
  wasi::Io<wasi::FileStat> stat(wasi::IoContext& io, std::string_view path, bool follow) final;
  wasi::Io<void> make_folder(wasi::IoContext& io, std::string_view path) final;
  wasi::Io<void> remove_folder(wasi::IoContext& io, std::string_view path) final;
  wasi::Io<void> unlink(wasi::IoContext& io, std::string_view path) final;

 protected:
  // A granted place. `name` is not empty.
  struct Spot {
    store::Place place;
    std::string name;
    const turn::StoreGrant* grant;
  };
  enum class Need : std::uint8_t { read, write };
  // Errors: ENOENT, EACCES, EISDIR for a store itself, those of `locate`.
  wasi::Io<Spot> spot(std::string_view path, Need need) const;
  // The record, null if there is none; waits for what is not in memory.
  wasi::Io<const store::Record*> look(wasi::IoContext& io, const Spot& spot,
                                      store::Track track) const;
  wasi::Io<bool> is_folder(wasi::IoContext& io, const Spot& spot) const;

  // `there`: whether it exists; `how` has been checked against the grant and O_EXCL.
  virtual wasi::Io<std::unique_ptr<wasi::OpenFile>> open_file(const Spot& spot,
                                                              const store::Record* there,
                                                              const wasi::OpenHow& how) = 0;
  virtual wasi::FileStat stat_file(const store::Record& record) const = 0;
  // Whether a read of what is opened so must be repeated when it has changed: not where it is only
  // overwritten.
  virtual store::Track track_of(const wasi::OpenHow& how) const;

  struct Renaming {
    Spot from, to;
    store::Record record;
  };
  enum class Across : std::uint8_t { stores, nothing };
  // What a rename moves; nothing: it has the name already. The kind has both names looked up.
  // Errors: those of `spot` and `look`, EACCES without the right to read, ENOTSUP for folders and
  // across what is not `across`.
  wasi::Io<std::optional<Renaming>> renaming(wasi::IoContext& io, std::string_view from,
                                             std::string_view to, Across across) const;

  store::Transaction& transaction() const { return transaction_; }

 private:
  wasi::Io<std::unique_ptr<wasi::OpenFile>> open_folder(wasi::IoContext& io, const Location& at,
                                                        const wasi::OpenHow& how);
  const turn::StoreGrant* grant(std::string_view store) const;

  store::Transaction& transaction_;
  store::Kind kind_;
  const std::vector<turn::StoreGrant>& grants_;
  std::set<std::string> made_;  // folders: store, "/", name
};

}  // namespace carrel::capability::state
