#include "observe/metrics.h"

#include <numeric>

namespace carrel::observe {

DurationCounts& DurationCounts::operator+=(const DurationCounts& other) {
  for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += other.buckets[i];
  nanos += other.nanos;
  return *this;
}

std::uint64_t DurationCounts::count() const {
  return std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
}

}  // namespace carrel::observe
