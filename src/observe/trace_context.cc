#include "observe/trace_context.h"

#include <algorithm>
#include <span>

#include "base/hex.h"

namespace carrel::observe {
namespace {

constexpr std::size_t kSize = 55;  // of version 00
constexpr std::size_t kMostMembers = 32;

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Lower-case digits; they fill `bytes`.
bool read_hex(std::string_view text, std::span<std::uint8_t> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

bool is_zero(std::span<const std::uint8_t> bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; });
}

bool is_state(std::string_view text) {
  const auto printable = [](char c) { return c == '\t' || (c >= ' ' && c <= '~'); };
  return text.size() <= kMostTraceState && std::ranges::all_of(text, printable) &&
         static_cast<std::size_t>(std::ranges::count(text, ',')) < kMostMembers;
}

}  // namespace

std::string TraceContext::trace_text() const { return to_hex(std::as_bytes(std::span(trace))); }
std::string TraceContext::span_text() const { return to_hex(std::as_bytes(std::span(span))); }

std::string TraceContext::traceparent() const {
  return "00-" + trace_text() + "-" + span_text() + (is_recorded() ? "-01" : "-00");
}

std::optional<TraceContext> parse_trace(std::string_view text, std::string_view state) {
  if (text.size() < kSize || text[2] != '-' || text[35] != '-' || text[52] != '-') return {};
  std::array<std::uint8_t, 1> version{}, flags{};
  TraceContext context;
  if (!read_hex(text, version) || !read_hex(text.substr(3), context.trace) ||
      !read_hex(text.substr(36), context.span) || !read_hex(text.substr(53), flags))
    return {};
  // Later versions may say more, after another '-'.
  if (version[0] == 0xff || (version[0] == 0 && text.size() > kSize)) return {};
  if (text.size() > kSize && text[kSize] != '-') return {};
  if (is_zero(context.trace) || is_zero(context.span)) return {};
  using Recorded = TraceContext::Recorded;
  context.recorded = (flags[0] & 1) != 0 ? Recorded::yes : Recorded::no;
  if (is_state(state)) context.state = state;
  return context;
}

}  // namespace carrel::observe
