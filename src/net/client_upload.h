// A request's body that is sent as it comes: framed, no faster than the peer takes it, and no
// further than the peer wants it.
#pragma once

#include "net/caller.h"
#include "net/client_socket.h"

namespace carrel::net {

struct Upload {
  StreamedBody body;
  Instant until;
  std::size_t most_heard;  // bytes of what the peer says meanwhile
};

// After the head. False: the peer answered or closed before it had taken all. `shard` and `socket`
// outlive the task; thread: the shard's. Destroying the task leaves a request that nobody can end,
// so its socket goes too. Errors: those of the socket and of the source; invalid_argument for a
// body of another length than was said.
async::Task<Result<bool>> send_body(async::Shard* shard, ClientSocket* socket, Upload upload);

}  // namespace carrel::net
