#include "store/part_io.h"

#include <optional>

#include "store/fresh_parts.h"

namespace carrel::store {
namespace {

// What the pool works on, alive whoever still waits for it.
struct Work {
  TenantName tenant;
  PartHash hash = {};
  std::string bytes;
  Parts::Pin pin = {};
  Result<void> done = {};
};

void write_part(Work& work, Store& store) {
  work.hash = hash_of_part(work.bytes);
  work.done = store.fresh_parts().add(work.tenant, work.hash, work.bytes.size());
  if (!work.done) return;
  work.pin = store.parts().pin(work.tenant, work.hash);
  work.done = store.parts().write(work.tenant, work.hash, work.bytes);
  if (!work.done) store.fresh_parts().drop(work.tenant, work.hash);
}

void read_part(Work& work, const Parts& parts, std::size_t size) {
  auto bytes = parts.read(work.tenant, work.hash);
  if (!bytes) {
    work.done = std::unexpected(std::move(bytes).error());
  } else if (bytes->size() != size) {
    work.done = fail(Code::data_corrupt, "a blob's part has another size than it should");
  } else {
    work.bytes = std::move(*bytes);
  }
}

}  // namespace

async::Task<Result<KeptPart>> keep_part(ShardStore* store, TenantName tenant, std::string bytes) {
  auto work = std::make_shared<Work>(std::move(tenant), PartHash(), std::move(bytes));
  co_await store->store().io().run(store->shard(),
                                   [work, &all = store->store()] { write_part(*work, all); });
  if (!work->done) co_return std::unexpected(std::move(work->done).error());
  co_return KeptPart{.hash = work->hash, .pin = std::move(work->pin)};
}

async::Task<Result<std::string>> fetch_part(ShardStore* store, TenantName tenant, PartHash hash,
                                            std::size_t size) {
  auto work = std::make_shared<Work>(std::move(tenant), hash);
  co_await store->store().io().run(store->shard(), [work, &parts = store->store().parts(), size] {
    read_part(*work, parts, size);
  });
  if (!work->done) co_return std::unexpected(std::move(work->done).error());
  co_return std::move(work->bytes);
}

}  // namespace carrel::store
