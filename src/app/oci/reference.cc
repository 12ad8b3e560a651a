#include "app/oci/reference.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "net/url.h"
#include "observe/json_line.h"

namespace carrel::oci {
namespace {

constexpr std::size_t kMaxText = 1024, kMaxRepository = 255, kMaxTag = 128, kHexDigits = 64;
constexpr std::string_view kSha256 = "sha256:";

bool is_small(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_word(char c) { return is_small(c) || (c >= 'A' && c <= 'Z') || c == '_'; }

// Letters and digits with single separators between them: ".", "_", "__" or any number of "-".
bool is_component(std::string_view text) {
  if (text.empty() || !is_small(text.front()) || !is_small(text.back())) return false;
  while (!text.empty()) {
    const auto name = std::ranges::find_if_not(text, is_small);
    text.remove_prefix(static_cast<std::size_t>(name - text.begin()));
    const std::string_view between(text.begin(), std::ranges::find_if(text, is_small));
    const bool dashes = std::ranges::all_of(between, [](char c) { return c == '-'; });
    if (!dashes && between != "." && between != "_" && between != "__") return false;
    text.remove_prefix(between.size());
  }
  return true;
}

bool is_repository(std::string_view text) {
  if (text.empty() || text.size() > kMaxRepository) return false;
  for (;;) {
    const auto slash = text.find('/');
    if (!is_component(text.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    text.remove_prefix(slash + 1);
  }
}

bool is_tag(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTag && is_word(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_word(c) || c == '.' || c == '-'; });
}

std::unexpected<Error> bad(std::string_view text, std::string_view why) {
  return fail(Code::invalid_argument,
              fmt::format("\"{}\" names no module in a registry: {}",
                          observe::printable(text.substr(0, kMaxTag)), why),
              "write oci://HOST/NAME:TAG or oci://HOST/NAME@sha256:DIGEST");
}

// As it was written, but in lower case; what a URL cannot have as its authority is refused.
Result<std::string> parse_registry(std::string_view all, std::string_view text) {
  const auto url = net::parse_url(fmt::format("https://{}/", text));
  if (!url || url->target != "/") return bad(all, "it does not begin with a host's name");
  const bool named = text.contains('.') || text.contains(':') || url->host == "localhost";
  if (!named) return bad(all, "it does not name the registry, such as ghcr.io");
  std::string registry(text);
  std::ranges::transform(registry, registry.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return registry;
}

}  // namespace

bool is_digest(std::string_view text) {
  if (!text.starts_with(kSha256) || text.size() != kSha256.size() + kHexDigits) return false;
  return std::ranges::all_of(text.substr(kSha256.size()), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
}

std::string digest_of(std::string_view bytes) { return std::string(kSha256) + sha256_hex(bytes); }

std::string Reference::text() const {
  return fmt::format("{}{}/{}{}{}{}{}", kScheme, registry, repository, tag.empty() ? "" : ":", tag,
                     digest.empty() ? "" : "@", digest);
}

Reference Reference::with_digest(std::string other) const {
  Reference pinned = *this;
  pinned.digest = std::move(other);
  return pinned;
}

Result<Reference> parse_reference(std::string_view text) {
  if (text.size() > kMaxText) return bad(text, "it is too long");
  std::string_view rest = text;
  if (rest.starts_with(kScheme)) rest.remove_prefix(kScheme.size());
  Reference reference;
  if (const auto at = rest.find('@'); at != std::string_view::npos) {
    reference.digest = rest.substr(at + 1);
    if (!is_digest(reference.digest)) {
      return bad(text, "its digest is not sha256: and 64 hexadecimal digits in lower case");
    }
    rest = rest.substr(0, at);
  }
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return bad(text, "it has no name after the registry");
  CARREL_TRY(reference.registry, parse_registry(text, rest.substr(0, slash)));
  rest.remove_prefix(slash + 1);
  if (const auto colon = rest.find(':'); colon != std::string_view::npos) {
    reference.tag = rest.substr(colon + 1);
    if (!is_tag(reference.tag)) return bad(text, "its tag is not valid");
    rest = rest.substr(0, colon);
  }
  if (!is_repository(rest)) {
    return bad(text,
               "a name is of lower-case letters and digits, with single . _ - or / between them");
  }
  reference.repository = rest;
  if (reference.version().empty()) return bad(text, "it has neither a tag nor a digest");
  return reference;
}

}  // namespace carrel::oci
