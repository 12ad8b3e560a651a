#include "capability/state/look.h"

#include "capability/state/store_errno.h"

namespace carrel::capability::state {

wasi::Io<const store::Record*> look(wasi::IoContext& io, store::Transaction& transaction,
                                    const store::Place& place, const std::string& name,
                                    store::Track track) {
  auto found = transaction.get(place, name, track);
  if (!found) {
    io.wait_for(transaction.fetch(place, name));
    return wasi::fail(wasi::Errno::again);
  }
  if (!*found) return wasi::fail(errno_of(found->error()));
  return **found;
}

}  // namespace carrel::capability::state
