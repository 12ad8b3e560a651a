// Linux's error numbers as WASI's.
#pragma once

#include "wasi/errno.h"

namespace carrel::capability::folder {

// EAGAIN is `busy`: `again` tells the tree to wait and ask once more, which a folder of the host
// never wants.
wasi::Errno from_host(int error);

// Of the calling thread's last failed system call.
wasi::Errno last_host_error();

}  // namespace carrel::capability::folder
