#include "patterns/hook/breaker.h"

#include <algorithm>

namespace carrel::hook {

bool Breaker::try_enter(Instant now) {
  if (parks_ == 0) return true;
  if (trying_ || now < until_) return false;
  trying_ = true;
  return true;
}

void Breaker::succeeded() {
  failures_ = parks_ = 0;
  trying_ = false;
}

// One that began before the module was parked says nothing new.
bool Breaker::failed(Instant now) {
  if (parks_ > 0 && !trying_) return false;
  trying_ = false;
  if (parks_ == 0 && ++failures_ < limits_.failures) return false;
  Nanos span = limits_.first;
  for (unsigned i = 0; i < parks_ && span < limits_.longest; ++i) span *= 2;
  until_ = now + std::min(span, limits_.longest);
  ++parks_;
  return true;
}

void Breaker::undecided() { trying_ = false; }

}  // namespace carrel::hook
