#include "net/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "net/authority.h"
#include "net/egress_policy.h"

namespace carrel::net {
namespace {

constexpr std::size_t kMaxHost = 253, kMaxLabel = 63;

std::uint16_t usual_port(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hex(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }

std::string lowered(std::string_view text) {
  std::string all(text);
  std::ranges::transform(all, all.begin(), lower);
  return all;
}

Error bad(std::string_view why) {
  return Error(Code::invalid_argument, fmt::format("not a URL that can be called: {}", why),
               "write http://HOST/PATH or https://HOST:PORT/PATH");
}

bool is_label(std::string_view label) {
  const auto allowed = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
  };
  return !label.empty() && label.size() <= kMaxLabel && std::ranges::all_of(label, allowed) &&
         label.front() != '-' && label.back() != '-';
}

// What some resolver takes for an address: its last label is a number, in whatever base.
bool looks_like_a_number(std::string_view label) {
  if (label.starts_with("0x")) return std::ranges::all_of(label.substr(2), is_hex);
  return std::ranges::all_of(label, is_digit);
}

Result<std::string> parse_host(std::string_view text) {
  if (text.starts_with('[')) {
    if (!text.ends_with(']')) return std::unexpected(bad("a bracket without its other one"));
    const auto address = parse_ip(text.substr(1, text.size() - 2));
    if (!address || !address->v6) return std::unexpected(bad("no IPv6 address in the brackets"));
    return address->text();
  }
  std::string host = lowered(text);
  if (host.empty()) return std::unexpected(bad("it has no host"));
  if (host.size() > kMaxHost) return std::unexpected(bad("its host is too long"));
  if (const auto address = parse_ip(host); address && !address->v6) return host;
  std::string_view rest = host;
  for (;;) {
    const auto dot = rest.find('.');
    const std::string_view label = rest.substr(0, dot);
    if (!is_label(label)) return std::unexpected(bad("its host is no name of a host"));
    if (dot != std::string_view::npos) {
      rest.remove_prefix(dot + 1);
      continue;
    }
    if (looks_like_a_number(label)) {
      return std::unexpected(bad("its host is a number, but not four decimal ones"));
    }
    return host;
  }
}

Result<std::uint16_t> parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || text.size() > 5 || port == 0 ||
      port > 65'535) {
    return std::unexpected(bad("its port is no number from 1 to 65535"));
  }
  return static_cast<std::uint16_t>(port);
}

}  // namespace

std::string Url::authority() const {
  const std::string name = host.contains(':') ? fmt::format("[{}]", host) : host;
  return port == usual_port(scheme) ? name : fmt::format("{}:{}", name, port);
}

std::string Url::text() const { return fmt::format("{}://{}{}", scheme, authority(), target); }

bool is_loopback(const Url& url) {
  if (url.host == "localhost" || url.host == "::1") return true;
  const auto address = parse_ip(url.host);
  return address && !address->v6 && address->bytes[0] == 127;
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > kMaxUrl) return std::unexpected(bad("it is longer than 8 KiB"));
  // A backslash is a slash to some readers.
  if (std::ranges::any_of(text,
                          [](unsigned char c) { return c <= ' ' || c >= 0x7f || c == '\\'; })) {
    return std::unexpected(bad("a character in it must be percent-encoded"));
  }
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return std::unexpected(bad("it is not absolute"));
  Url url{.scheme = lowered(text.substr(0, colon))};
  if (url.scheme != "http" && url.scheme != "https") {
    return std::unexpected(bad("its scheme is neither http nor https"));
  }
  text.remove_prefix(colon + 3);
  text = text.substr(0, text.find('#'));
  const auto path = std::min(text.find_first_of("/?"), text.size());
  const std::string_view authority = text.substr(0, path);
  if (authority.contains('@')) return std::unexpected(bad("it has user information"));
  const auto [host, port] = split_authority(authority);
  CARREL_TRY(url.host, parse_host(host));
  url.port = usual_port(url.scheme);
  if (host.size() != authority.size()) {
    CARREL_TRY(url.port, parse_port(port));
  }
  const std::string_view target = text.substr(path);
  url.target = target.starts_with('/') ? std::string(target) : fmt::format("/{}", target);
  return url;
}

}  // namespace carrel::net
