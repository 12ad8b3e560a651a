#include "runtime/shard_modules.h"

namespace carrel::runtime {

std::shared_ptr<const wasm::Prepared> ShardModules::find(const Program& program) {
  const auto at = entries_.find(&program);
  if (at == entries_.end()) return nullptr;
  if (at->second != by_use_.begin()) by_use_.splice(by_use_.begin(), by_use_, at->second);
  return at->second->prepared;
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
  Entry entry{.program = std::move(program), .prepared = prepared, .bytes = bytes};
  insert(std::move(entry));
  co_return prepared;
}

Result<wasm::Linker*> ShardModules::linker_of(const abi::Abi& abi) {
  auto& linker = linkers_[&abi];
  if (!linker) {
    CARREL_TRY(linker, abi.make_linker(loader_.engine()));
  }
  return linker.get();
}

void ShardModules::insert(Entry entry) {
  bytes_ += entry.bytes;
  by_use_.push_front(std::move(entry));
  entries_[by_use_.front().program.get()] = by_use_.begin();
  while (by_use_.size() > 1 && (by_use_.size() > max_modules_ || bytes_ > max_bytes_)) {
    bytes_ -= by_use_.back().bytes;
    entries_.erase(by_use_.back().program.get());
    by_use_.pop_back();
  }
}

}  // namespace carrel::runtime
