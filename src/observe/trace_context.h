// Where something stands in a trace that began elsewhere, or here: W3C Trace Context, level 1.
//
//   traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
//   tracestate: vendor=what-it-likes
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace carrel::observe {

struct TraceContext {
  std::array<std::uint8_t, 16> trace{};  // not all zero
  std::array<std::uint8_t, 8> span{};    // not all zero: who asks
  enum class Recorded : std::uint8_t { no, yes } recorded = Recorded::no;
  std::string state;  // others' own words, passed on as they came; may be empty

  bool is_recorded() const { return recorded == Recorded::yes; }
  std::string trace_text() const;  // 32 hexadecimal digits
  std::string span_text() const;   // 16
  std::string traceparent() const;
};

inline constexpr std::size_t kMostTraceState = 512;  // bytes; a longer one is dropped, as a whole

// What others sent; nothing when it is not valid. A `state` that is not is left out.
std::optional<TraceContext> parse_trace(std::string_view traceparent, std::string_view state);

}  // namespace carrel::observe
