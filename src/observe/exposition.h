// The text in which Prometheus reads figures: text exposition format 0.0.4.
//
//   # HELP carrel_turns_total Turns that have ended, by result.
//   # TYPE carrel_turns_total counter
//   carrel_turns_total{result="ok"} 17
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "observe/metrics.h"

namespace carrel::observe {

inline constexpr std::string_view kExpositionType = "text/plain; version=0.0.4; charset=utf-8";

struct Label {
  std::string_view name;
  std::string_view value;  // any bytes
};
using Labels = std::initializer_list<Label>;

// Value type. A family is followed by all of its samples.
class Exposition {
 public:
  enum class Kind : std::uint8_t { counter, gauge, histogram };
  void family(std::string_view name, Kind kind, std::string_view help);

  void sample(Labels labels, std::uint64_t value);
  void sample(Labels labels, double value);
  void sample(Labels labels, const DurationCounts& durations);  // of a histogram; in seconds

  // A family of one sample without labels.
  template <typename Value>
  void single(std::string_view name, Kind kind, std::string_view help, const Value& value) {
    family(name, kind, help);
    sample({}, value);
  }

  std::string finish() && { return std::move(text_); }

 private:
  void name(std::string_view suffix, Labels labels, std::string_view bound);

  std::string text_;
  std::string name_;
};

}  // namespace carrel::observe
