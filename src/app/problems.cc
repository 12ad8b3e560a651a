#include "app/problems.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace carrel::app {
namespace {

constexpr std::size_t kKept = 100;
constexpr std::size_t kLongestWord = 64;   // longer words are nobody's typing error
constexpr std::size_t kLongestQuote = 80;  // bytes
constexpr std::size_t kListed = 16;

// Levenshtein's distance, with a swap of neighbours as one step.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

void Problems::add(Position at, std::string what) {
  if (found_.size() < kKept) {
    const auto later = std::ranges::upper_bound(
        found_, std::pair(at.line, at.column), {},
        [](const Problem& other) { return std::pair(other.at.line, other.at.column); });
    found_.insert(later, {at, std::move(what)});
  } else {
    ++dropped_;
  }
}

Error Problems::error() const {
  std::string text;
  for (const Problem& problem : found_) {
    if (!text.empty()) text += '\n';
    text += file_;
    if (problem.at.line > 0) text += fmt::format(":{}:{}", problem.at.line, problem.at.column);
    text += ": " + problem.what;
  }
  if (dropped_ > 0) text += fmt::format("\n{}: {} more problems", file_, dropped_);
  return Error(Code::invalid_config, std::move(text));
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  if (word.empty() || word.size() > kLongestWord) return {};
  std::string_view best;
  // A third of the letters may be wrong, and one letter always.
  std::size_t allowed = std::max<std::size_t>(1, word.size() / 3);
  for (std::string_view candidate : candidates) {
    if (candidate.size() > kLongestWord) continue;
    const std::size_t steps = distance(word, candidate);
    if (steps > allowed || (steps == allowed && !best.empty())) continue;
    best = candidate;
    allowed = steps;
  }
  return best;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> candidates) {
  if (const auto near = nearest(word, candidates); !near.empty()) {
    return fmt::format("; did you mean {}?", in_quotes(near));
  }
  if (candidates.empty()) return {};
  const auto listed = candidates.first(std::min(candidates.size(), kListed));
  return fmt::format("; known: {}{}", fmt::join(listed, ", "),
                     listed.size() < candidates.size() ? ", ..." : "");
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  std::size_t end = std::min(text.size(), kLongestQuote);
  // Not in the middle of a character of UTF-8.
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  out += end < text.size() ? "...\"" : "\"";
  return out;
}

}  // namespace carrel::app
