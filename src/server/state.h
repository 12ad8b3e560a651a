// The node's state: its store, and the sealer for its secrets.
//
// A server keeps one store in its state folder. `carrel dev` keeps one for each app folder, so that
// apps in development do not meet and two of them may run at once.
#pragma once

#include <filesystem>
#include <memory>

#include "base/node_key.h"
#include "observe/log.h"
#include "server/options.h"
#include "store/sealer.h"
#include "store/store.h"

namespace carrel::server {

std::filesystem::path store_folder(const ServerOptions& options);

// Owner: the composition root; outlives the shards. Thread-safe. Stops: `stop`, after the shards
// have stopped and before they are destroyed.
class NodeStore {
 public:
  // `events` outlives it, and is told of damage. Errors: those of Store::open, saying what to do.
  static Result<std::unique_ptr<NodeStore>> open(const std::filesystem::path& folder,
                                                 const NodeKey& key, observe::Log& events);

  store::Store& store() { return *store_; }
  const store::Sealer& sealer() const { return sealer_; }
  void stop() { store_->stop(); }

 private:
  NodeStore(std::unique_ptr<store::Store> store, const NodeKey& key)
      : store_(std::move(store)), sealer_(key) {}
  std::unique_ptr<store::Store> store_;
  store::Sealer sealer_;
};

}  // namespace carrel::server
