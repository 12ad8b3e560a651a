// Parts from a shard, which must not block: the store's I/O pool reads and writes them.
#pragma once

#include <string>

#include "async/task.h"
#include "store/parts.h"
#include "store/store.h"

namespace carrel::store {

struct KeptPart {
  PartHash hash;
  Parts::Pin pin;  // to be held until a blob that refers to the part is committed
};

// Returns when it is on the disk. Errors: quota_exceeded, counting parts that nothing uses yet;
// store_full, io.
async::Task<Result<KeptPart>> keep_part(ShardStore* store, TenantName tenant, std::string bytes);

// Errors: data_corrupt, also when the part is not `size` bytes long; not_found, io.
async::Task<Result<std::string>> fetch_part(ShardStore* store, TenantName tenant, PartHash hash,
                                            std::size_t size);

}  // namespace carrel::store
