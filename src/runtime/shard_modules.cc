#include "runtime/shard_modules.h"

#include "base/prefetch.h"

namespace carrel::runtime {

std::shared_ptr<const wasm::Prepared> ShardModules::find(const Program& program) {
  const auto at = entries_.find(program.identity);
  if (at == entries_.end()) return nullptr;
  at->second.used = true;
  prefetch(*at->second.prepared);
  return at->second.prepared;
}

async::Task<Result<std::shared_ptr<const wasm::Prepared>>> ShardModules::load(
    std::shared_ptr<const Program> program) {
  auto loaded = co_await loader_.load(shard_, program);
  if (!loaded) co_return std::unexpected(std::move(loaded).error());
  if (auto ready = find(*program)) co_return ready;  // another turn was as quick
  CARREL_CO_TRY(wasm::Linker * linker, linker_of(*program->abi));
  const std::uint64_t bytes = (*loaded)->code_bytes();
  CARREL_CO_TRY(std::shared_ptr<const wasm::Prepared> prepared,
                linker->prepare(std::move(*loaded)));
  entries_.emplace(program->identity, Entry{.prepared = prepared, .bytes = bytes, .used = true});
  order_.add(program->identity);
  bytes_ += bytes;
  make_room();
  co_return prepared;
}

Result<wasm::Linker*> ShardModules::linker_of(const abi::Abi& abi) {
  auto& linker = linkers_[&abi];
  if (!linker) {
    CARREL_TRY(linker, abi.make_linker(loader_.engine()));
  }
  return linker.get();
}

void ShardModules::make_room() {
  while (order_.size() > 1 && (order_.size() > max_modules_ || bytes_ > max_bytes_)) {
    const auto at = order_.next(entries_);
    bytes_ -= at->second.bytes;
    entries_.erase(at);
  }
}

}  // namespace carrel::runtime
