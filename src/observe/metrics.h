// Figures that are counted while the work is done, and may be read by anybody at any time.
//
// Each belongs to the part that counts; whoever shows them (server/metrics.h) adds up those of all
// shards. A figure with one writer is a plain load and store for it: no lock and no locked
// instruction on a request's path. A reader may see one figure a moment newer than another.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace carrel::observe {

// Only grows. Written by one thread at a time.
class Counter {
 public:
  void add(std::uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

// Only grows. Written by any thread.
class SharedCounter {
 public:
  void add(std::uint64_t n = 1) noexcept { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

// How many there are now. Written by one thread at a time.
class Gauge {
 public:
  Gauge& operator++() noexcept { return set(value() + 1); }
  Gauge& operator--() noexcept { return set(value() - 1); }
  std::size_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  Gauge& set(std::size_t value) noexcept {
    value_.store(value, std::memory_order_relaxed);
    return *this;
  }
  std::atomic<std::size_t> value_ = 0;
};

// The upper bounds of a histogram's buckets: from a static file to a call that hangs.
inline constexpr std::array<Nanos, 19> kDurationBounds = [] {
  using std::chrono::microseconds;
  using std::chrono::milliseconds;
  return std::array<Nanos, 19>{
      microseconds(10),   microseconds(25),   microseconds(50),   microseconds(100),
      microseconds(250),  microseconds(500),  milliseconds(1),    microseconds(2500),
      milliseconds(5),    milliseconds(10),   milliseconds(25),   milliseconds(50),
      milliseconds(100),  milliseconds(250),  milliseconds(500),  milliseconds(1000),
      milliseconds(2500), milliseconds(5000), milliseconds(10000)};
}();

// What was read of one or several histograms of durations. Value type.
struct DurationCounts {
  std::array<std::uint64_t, kDurationBounds.size() + 1> buckets{};  // the last: beyond all bounds
  std::uint64_t nanos = 0;                                          // in sum

  DurationCounts& operator+=(const DurationCounts& other);
  std::uint64_t count() const;
};

// A histogram of how long something took.
template <typename Count>
class BasicDurations {
 public:
  void add(Nanos duration) noexcept {
    std::size_t bucket = 0;
    while (bucket < kDurationBounds.size() && duration > kDurationBounds[bucket]) ++bucket;
    buckets_[bucket].add();
    nanos_.add(duration.count() < 0 ? 0 : static_cast<std::uint64_t>(duration.count()));
  }
  DurationCounts counts() const noexcept {
    DurationCounts counts;
    for (std::size_t i = 0; i < buckets_.size(); ++i) counts.buckets[i] = buckets_[i].value();
    counts.nanos = nanos_.value();
    return counts;
  }

 private:
  std::array<Count, kDurationBounds.size() + 1> buckets_;
  Count nanos_;
};
using Durations = BasicDurations<Counter>;              // written by one thread at a time
using SharedDurations = BasicDurations<SharedCounter>;  // by any

}  // namespace carrel::observe
