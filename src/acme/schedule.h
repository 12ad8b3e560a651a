// When a certificate is renewed, and how long to wait after a failure. Pure; any thread.
#pragma once

#include <chrono>

#include "base/clock.h"

namespace carrel::acme {

// From where a certificate is good until where it ends.
struct Lifetime {
  WallTime begin, end;
};

// When a third of it is left, or up to a tenth of that third later: nodes that started together do
// not ask together. `chance`: 0 to 1.
WallTime renewal_of(const Lifetime& lifetime, double chance);

// After the first failure five minutes, then twice as long each time up to a day, a fifth more or
// less; no shorter than `asked`.
std::chrono::seconds pause_after(unsigned failures, std::chrono::seconds asked, double chance);

}  // namespace carrel::acme
