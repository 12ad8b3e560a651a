// What a guest is told when the store refuses it.
#pragma once

#include "base/error.h"
#include "wasi/errno.h"

namespace carrel::capability::state {

wasi::Errno errno_of(const Error& error);

}  // namespace carrel::capability::state
