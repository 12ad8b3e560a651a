#include "app/hosts/name.h"

#include <fmt/format.h>

#include <algorithm>

namespace carrel::hosts {
namespace {

constexpr std::size_t kMostName = 253, kMostLabel = 63;  // RFC 1035

std::unexpected<Error> wrong(std::string_view why, std::string_view help = "") {
  return fail(Code::invalid_argument, fmt::format("a host name cannot be claimed that {}", why),
              std::string(help));
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_of_a_label(char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; }

Result<void> check_label(std::string_view label) {
  if (label.empty()) return wrong("has an empty label");
  if (label == "*") return wrong("is a wildcard", "claim each name by itself");
  if (label.size() > kMostLabel) return wrong("has a label of more than 63 bytes");
  if (std::ranges::any_of(label, [](char c) { return (c & 0x80) != 0; }))
    return wrong("is not ASCII", "write its form for the DNS: xn--...");
  if (!std::ranges::all_of(label, is_of_a_label))
    return wrong("has other characters than letters, digits, - and dots");
  if (label.front() == '-' || label.back() == '-')
    return wrong("has a label that begins or ends with -");
  // Such labels are reserved; of those, only the forms of international names are in use.
  if (label.size() > 3 && label.substr(2).starts_with("--") && !label.starts_with("xn--"))
    return wrong("has a label with -- in its third and fourth place");
  return {};
}

}  // namespace

Result<std::string> normal_name(std::string_view text) {
  if (text.ends_with('.')) text.remove_suffix(1);
  std::string name(text);
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (name.empty() || name.size() > kMostName) return wrong("is empty or has more than 253 bytes");
  if (name.contains(':')) return wrong("has a port or is an address");
  std::string_view rest = name, label;
  std::size_t labels = 0;
  for (bool last = false; !last; ++labels) {
    const auto dot = rest.find('.');
    last = dot == std::string_view::npos;
    label = rest.substr(0, dot);
    CARREL_TRY_VOID(check_label(label));
    if (!last) rest.remove_prefix(dot + 1);
  }
  if (is_within(name, "localhost"))
    return wrong("is under localhost", "APP.TENANT.localhost is the app's without a claim");
  if (labels < 2) return wrong("has no dot");
  if (std::ranges::all_of(label, is_digit)) return wrong("is an address");
  return name;
}

bool is_within(std::string_view name, std::string_view domain) {
  if (!name.ends_with(domain)) return false;
  name.remove_suffix(domain.size());
  return name.empty() || name.ends_with('.');
}

}  // namespace carrel::hosts
