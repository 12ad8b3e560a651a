// An interrupt: told once, by any thread, to all who block in `poll` for something else.
#pragma once

#include <sys/eventfd.h>

#include "base/fd.h"

namespace carrel {

// Owner: whoever may end the waiting; outlives those who wait. Thread-safe.
class Interrupt {
 public:
  Interrupt() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  void tell() { ::eventfd_write(fd_.get(), 1); }
  // To poll for POLLIN; readable from then on. -1: there were no descriptors left.
  int descriptor() const { return fd_.get(); }

 private:
  Fd fd_;
};

}  // namespace carrel
