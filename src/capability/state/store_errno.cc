#include "capability/state/store_errno.h"

namespace carrel::capability::state {

wasi::Errno errno_of(const Error& error) {
  switch (error.code()) {
    case Code::snapshot_expired:
      return wasi::Errno::stale;
    case Code::effects_limit:
    case Code::quota_exceeded:
      return wasi::Errno::dquot;
    case Code::store_full:
      return wasi::Errno::nospc;
    case Code::invalid_argument:
      return wasi::Errno::inval;
    default:
      return wasi::Errno::io;
  }
}

}  // namespace carrel::capability::state
