// The modules that a shard has ready: prepared against its own linkers. Programs of the same bytes
// share one.
//
// Bounded by number (each maps several regions, and the kernel bounds those) and by bytes of code:
// the oldest goes, unless it has been used since it was last looked at. A module that a turn still
// runs stays until that turn is over.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <cstring>
#include <memory>
#include <unordered_map>

#include "async/shard.h"
#include "base/second_chance.h"
#include "runtime/loader.h"
#include "wasm/linker.h"

namespace carrel::runtime {

// Owner and thread: one shard. Stops: loads still waiting are cancelled with their tasks.
class ShardModules {
 public:
  ShardModules(async::Shard& shard, Loader& loader, std::size_t max_modules,
               std::uint64_t max_bytes)
      : shard_(shard), loader_(loader), max_modules_(max_modules), max_bytes_(max_bytes) {}
  ShardModules(const ShardModules&) = delete;
  ShardModules& operator=(const ShardModules&) = delete;

  // The module if it is ready; null otherwise.
  std::shared_ptr<const wasm::Prepared> find(const Program& program);

  // Brings it in. Errors: as Loader::load.
  async::Task<Result<std::shared_ptr<const wasm::Prepared>>> load(
      std::shared_ptr<const Program> program);

  std::size_t size() const { return entries_.size(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::shared_ptr<const wasm::Prepared> prepared;
    std::uint64_t bytes = 0;
    bool used = false;  // since it was last looked at
  };
  Result<wasm::Linker*> linker_of(const abi::Abi& abi);
  void make_room();

  async::Shard& shard_;
  Loader& loader_;
  std::size_t max_modules_;
  std::uint64_t max_bytes_;
  std::uint64_t bytes_ = 0;
  std::unordered_map<const abi::Abi*, std::unique_ptr<wasm::Linker>> linkers_;
  using Identity = decltype(Program::identity);
  // A digest is as good as its hash.
  struct Hash {
    std::size_t operator()(const Identity& identity) const {
      std::size_t first = 0;
      std::memcpy(&first, identity.data(), sizeof(first));
      return first;
    }
  };
  boost::unordered_flat_map<Identity, Entry, Hash> entries_;
  SecondChance<Identity> order_;
};

}  // namespace carrel::runtime
