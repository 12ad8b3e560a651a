// What a transaction's own sources share: what one turn has read and changed so far.
//
// transaction.cc reads records, transaction_pages.cc names; transaction_changes.cc keeps what the
// turn changes, transaction_commit.cc hands it to the committer.
#pragma once

#include <boost/container/small_vector.hpp>
#include <map>

#include "store/own_names.h"
#include "store/store_impl.h"
#include "store/transaction.h"

namespace carrel::store {

// A name's own entry (nothing: none) and the sums, as they were.
struct Mark {
  std::string key;
  std::optional<Own> own;
  std::size_t bytes;
  std::uint64_t weights, replaced;
};

// Owner: the transaction. Thread: its shard's.
struct Transaction::Impl final : SnapshotHolder {
  // What the turn adds to a counter.
  struct Sum {
    std::string store, name;
    std::int64_t delta = 0;
    std::optional<std::int64_t> floor;
  };
  // A page that was fetched, until it is asked for.
  template <typename Page>
  struct Fetched {
    std::string question;
    std::optional<Result<Page>> page;
  };

  ShardStore& shard;
  Store::Impl& store;
  ShardStore::Impl& local;
  TenantName tenant;
  TransactionLimits limits;
  Tickets tickets;
  std::vector<std::uint64_t> lost;
  std::shared_ptr<const Snapshot> snapshot;
  Instant began;
  bool expired = false;
  std::optional<Error> failure;  // of a read
  std::uint64_t now = 0;
  Version seen{};
  std::vector<std::uint64_t> reads;
  std::vector<Place> read_places;  // each once
  bool many_reads = false;         // then whole stores are what was read
  OwnByKey own;
  std::map<std::string, Sum> sums;
  boost::container::small_vector<std::shared_ptr<const ReadRecord>, 4> kept;  // read last
  std::map<std::string, Before> known;             // of what was read before those
  std::size_t bytes = 0;                           // of names and values changed
  std::uint64_t weights = 0;                       // of what these stand for beside
  std::uint64_t replaced = 0;                      // charged for what was there before
  mutable std::shared_ptr<const Account> account;  // null: not looked for, or not loaded
  Fetched<FolderPage> fetched_folder;
  Fetched<NamePage> fetched_names;
  Impl(ShardStore& s, Store::Impl& all, ShardStore::Impl& mine, TenantName t,
       const TransactionLimits& l);

  // Empty: the node.
  std::string_view owner_of(const Place& place) const {
    return is_of_the_node(place.kind) ? std::string_view() : tenant.str();
  }
  Key key_of(const Place& place, std::string_view name) const {
    return {.tenant = owner_of(place), .kind = place.kind, .store = place.store, .name = name};
  }
  // Whether its time has not come.
  bool is_there(const Record& record) const { return record.expires == 0 || record.expires > now; }
  // Whether a read is answered on the shard when it can be.
  bool looks_in_memory() const { return store.options.looks == Reach::memory; }
  bool must_queue(std::uint64_t hash) const {
    return !snapshot && tickets.empty() && store.tickets.contended(hash);
  }

  // transaction.cc
  static Error expired_error();
  std::unexpected<Error> failed(Error error);
  Result<void> begin();
  void forget();
  void give_up_before(Instant oldest) override;
  void track(std::uint64_t hash, const Place& place);
  std::shared_ptr<const ReadRecord> find_kept(std::string_view key) const;
  std::shared_ptr<const ReadRecord> find_read(std::uint64_t hash, std::string_view key);
  std::shared_ptr<const ReadRecord> keep_read(const Place& place, std::string_view name,
                                              std::uint64_t hash, std::string key,
                                              Result<std::optional<std::string>> stored);
  void keep(std::shared_ptr<const ReadRecord> read);
  Before before(const std::string& key) const;

  // transaction_pages.cc
  MergedWalk walk(const Place& place, const PageRange& range, Reach reach) const;

  // transaction_changes.cc
  Result<Own*> change(const Place& place, std::string_view name, std::size_t size);
  Result<void> fits(std::int64_t more) const;
  Result<void> within_quota(std::int64_t more) const;
  Result<void> room(std::int64_t more);
  Result<void> weigh(Own& mine, std::uint64_t weight);
  Mark mark(std::string key) const;
  void go_back(Mark mark);

  // transaction_commit.cc
  void keep_written(const std::vector<Change>& changes, Version version);
};

}  // namespace carrel::store
