#include "turn/scrub.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace carrel::turn {
namespace {

struct Span {
  std::size_t begin, end;
  auto operator<=>(const Span&) const = default;
};

std::vector<std::string_view> lines_of(std::span<const SecretBytes> secrets) {
  std::vector<std::string_view> lines;
  for (const SecretBytes& kept : secrets) {
    const std::string_view secret = kept.view();
    for (std::size_t at = 0; at < secret.size();) {
      const std::size_t end = std::min(secret.find('\n', at), secret.size());
      std::string_view line = secret.substr(at, end - at);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.size() >= kShortestScrubbed) lines.push_back(line);
      at = end + 1;
    }
  }
  return lines;
}

// In order, those that overlap as one.
std::vector<Span> find(std::string_view text, const std::vector<std::string_view>& lines) {
  std::vector<Span> found;
  for (const auto line : lines) {
    for (auto at = text.find(line); at != text.npos; at = text.find(line, at + 1))
      found.push_back({at, at + line.size()});
  }
  std::ranges::sort(found);
  std::vector<Span> merged;
  for (const Span& span : found) {
    if (merged.empty() || span.begin >= merged.back().end)
      merged.push_back(span);
    else
      merged.back().end = std::max(merged.back().end, span.end);
  }
  return merged;
}

// How many bytes at the end of `text` are the beginning of `line`, but not all of it.
std::size_t begun(std::string_view text, std::string_view line) {
  for (std::size_t size = std::min(text.size(), line.size() - 1); size > 0; --size) {
    if (text.ends_with(line.substr(0, size))) return size;
  }
  return 0;
}

}  // namespace

std::string scrub(std::string_view text, std::span<const SecretBytes> secrets) {
  std::string out;
  std::size_t at = 0;
  for (const Span& span : find(text, lines_of(secrets))) {
    out += text.substr(at, span.begin - at);
    out += "[secret]";
    at = span.end;
  }
  return out += text.substr(at);
}

std::size_t safe_cut(std::string_view text, std::span<const SecretBytes> secrets) {
  const auto lines = lines_of(secrets);
  std::size_t cut = text.size();
  for (const auto line : lines) cut = std::min(cut, text.size() - begun(text, line));
  for (const Span& span : find(text, lines)) {
    if (span.begin < cut && cut < span.end) return span.begin;
  }
  return cut;
}

}  // namespace carrel::turn
