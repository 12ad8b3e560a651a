// Files that fail on purpose, under the database in tests.
//
//   FaultyFiles faults;
//   auto database = Database::open({.folder = folder, .files = faults.files()});
//   faults.fail_writes(FaultyFiles::Write::no_space);   // from now on
//   ... faults.heal(); close the database; faults.lose_unsynced(); open it again
//
// Every write to any file of the database (log, tables, manifest) is counted and may fail; reads
// never do. Thread-safe. Outlives every database that uses its files.
#pragma once

#include <filesystem>
#include <memory>

#include "store/database.h"

namespace carrel::store {

class FaultyFiles {
 public:
  FaultyFiles();
  ~FaultyFiles();

  std::shared_ptr<DatabaseFiles> files() const;

  enum class Write : std::uint8_t {
    well,
    fails,     // an I/O error, nothing written
    no_space,  // ENOSPC, nothing written
    torn       // half of it is written, then an I/O error
  };
  void fail_writes(Write how);  // until `heal`
  void fail_syncs();            // until `heal`; nothing counts as synced by them
  void heal();

  // Syncs begun wait until `release_syncs`.
  void hold_syncs();
  void release_syncs();

  int writes() const;  // tried so far
  int syncs() const;

  // Power loss: cuts every file that was written to what was synced of it. Call when the database
  // is closed. New and renamed files stay.
  void lose_unsynced();

  struct State;

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<DatabaseFiles> files_;
};

}  // namespace carrel::store
