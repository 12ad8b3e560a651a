#include "api/etag.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"

namespace carrel::api {
namespace {

// One of the tags in "\"a\", \"b\""; weak ones match nothing, as RFC 9110 wants it.
bool names(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    auto tag = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    while (tag.starts_with(' ') || tag.starts_with('\t')) tag.remove_prefix(1);
    while (tag.ends_with(' ') || tag.ends_with('\t')) tag.remove_suffix(1);
    if (tag == "*" || tag == etag) return true;
  }
  return false;
}

}  // namespace

std::string etag_of(std::string_view representation) {
  constexpr std::size_t kDigits = 16;
  return fmt::format("\"{}\"", sha256_hex(representation).substr(0, kDigits));
}

Result<void> check_if_match(const net::Request& request, std::string_view etag) {
  bool asked = false;
  for (const net::Header& header : request.headers) {
    if (!net::same_name(header.name, "if-match")) continue;
    if (names(header.value, etag)) return {};
    asked = true;
  }
  if (!asked) return {};
  return fail(Code::precondition_failed,
              fmt::format("it has changed since it was read: its entity tag is now {}", etag));
}

}  // namespace carrel::api
