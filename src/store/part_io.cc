#include "store/part_io.h"

#include <optional>

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

void write_part(Work& work, Parts& parts) {
  work.hash = hash_of_part(work.bytes);
  work.pin = parts.pin(work.tenant, work.hash);
  work.done = parts.write(work.tenant, work.hash, work.bytes);
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
  co_await store->store().io().run(
      store->shard(), [work, &parts = store->store().parts()] { write_part(*work, parts); });
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
