// How often something went well, and how often it failed with each code of the catalogue: a label
// of few values, whatever the outside does.
#pragma once

#include <algorithm>
#include <array>
#include <optional>

#include "base/error.h"
#include "observe/metrics.h"

namespace carrel::observe {

inline constexpr auto kCodes = std::to_array<Code>({
#define CARREL_ERROR(name, number, status, text) Code::name,
#include "base/errors.inc"
#undef CARREL_ERROR
});

// Written by one thread at a time.
class OutcomeCounts {
 public:
  void add_success() noexcept { well_.add(); }
  void add(Code code) noexcept {
    failed_[static_cast<std::size_t>(std::ranges::find(kCodes, code) - kCodes.begin())].add();
  }
  void add(const std::optional<Error>& error) noexcept {
    error ? add(error->code()) : add_success();
  }

  std::uint64_t well() const noexcept { return well_.value(); }
  // By its place in kCodes.
  std::uint64_t failed(std::size_t code) const noexcept { return failed_[code].value(); }
  std::uint64_t failed(Code code) const noexcept {
    return failed(static_cast<std::size_t>(std::ranges::find(kCodes, code) - kCodes.begin()));
  }

 private:
  Counter well_;
  std::array<Counter, kCodes.size()> failed_;
};

}  // namespace carrel::observe
