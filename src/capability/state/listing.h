// Open folders of stored things: the names of granted stores, and what is directly below a folder.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/transaction.h"
#include "turn/grants.h"
#include "wasi/node.h"

namespace carrel::capability::state {

class StoreNames final : public wasi::OpenFile {
 public:
  explicit StoreNames(const std::vector<turn::StoreGrant>& grants) : grants_(grants) {}
  wasi::Io<wasi::FileStat> stat(wasi::IoContext& io) override;
  wasi::Io<std::vector<wasi::DirEntry>> list(wasi::IoContext& io, std::uint64_t cookie,
                                             std::size_t max) override;

 private:
  const std::vector<turn::StoreGrant>& grants_;
};

// A cookie is the number of entries before it. Where some of them were is remembered, so that any
// can be gone back to; when there are many, every other one is forgotten, and entries in between
// are walked again.
class FolderListing final : public wasi::OpenFile {
 public:
  FolderListing(store::Transaction& transaction, store::Place place, std::string folder)
      : transaction_(transaction), place_(std::move(place)), folder_(std::move(folder)) {}
  wasi::Io<wasi::FileStat> stat(wasi::IoContext& io) override;
  wasi::Io<std::vector<wasi::DirEntry>> list(wasi::IoContext& io, std::uint64_t cookie,
                                             std::size_t max) override;

 private:
  using After = std::optional<store::FolderEntry>;
  wasi::Io<store::FolderPage> page(wasi::IoContext& io, const After& after, std::size_t max);
  void remember(std::uint64_t position, const store::FolderEntry& last);

  store::Transaction& transaction_;
  store::Place place_;
  std::string folder_;
  std::map<std::uint64_t, store::FolderEntry> last_before_;  // by cookie: the entry before it
};

}  // namespace carrel::capability::state
