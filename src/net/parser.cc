#include "net/parser.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/hex.h"

namespace carrel::net {
namespace {

// Character classes of RFC 9110 and RFC 9112, one bit each.
enum : unsigned char { kToken = 1, kTarget = 2, kHost = 4 };

constexpr auto kClass = [] {
  std::array<unsigned char, 256> table{};
  const auto add = [&](std::string_view chars, unsigned char bit) {
    for (const char c : chars) table[static_cast<unsigned char>(c)] |= bit;
  };
  for (int c = 0x21; c < 0x7f; ++c) table[c] |= kTarget;  // browsers send '|' and '{' unescaped
  for (const char c : std::string_view("\"<>#")) table[static_cast<unsigned char>(c)] &= ~kTarget;
  add("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", kToken | kHost);
  add("!#$%&'*+-.^_`|~", kToken);
  add("-._~%:[]!$&'()*+;=", kHost);
  return table;
}();

bool all_of_class(std::string_view text, unsigned char bit) {
  unsigned char common = bit;
  for (const char c : text) common &= kClass[static_cast<unsigned char>(c)];
  return common != 0;
}

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::unexpected<Error> bad(const char* why) { return fail(Code::bad_request, why); }

// "chunked" and lengths are never taken from lists: a list is where two readers disagree.
Result<std::uint64_t> parse_length(std::string_view text) {
  constexpr std::size_t kMostDigits = 18;
  if (text.empty() || text.size() > kMostDigits) return bad("the Content-Length is not a number");
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return bad("the Content-Length is not a number");
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

struct Seen {
  Framing framing;
  bool host = false, length = false, encoding = false, close = false, keep = false;
};

void see_connection(std::string_view value, Seen& seen) {
  seen.close = seen.close || has_option(value, "close");
  seen.keep = seen.keep || has_option(value, "keep-alive");
}

Result<void> see_length(std::string_view value, Request& request, Seen& seen) {
  if (seen.length) return bad("there is more than one Content-Length");
  seen.length = true;
  CARREL_TRY(request.content_length, parse_length(value));
  return {};
}

Result<void> see_encoding(std::string_view value, Seen& seen) {
  if (seen.encoding || !same_name(value, "chunked"))
    return bad("the Transfer-Encoding is not exactly chunked");
  seen.encoding = seen.framing.chunked = true;
  return {};
}

Result<void> see_host(std::string_view value, Request& request, Seen& seen) {
  if (seen.host) return bad("there is more than one Host");
  if (!all_of_class(value, kHost)) return bad("the Host is not valid");
  seen.host = true;
  request.host = value;
  return {};
}

// The fields that decide how the connection goes on.
Result<void> see_field(const Header& header, Request& request, Seen& seen) {
  switch (header.name.size()) {
    case 4:
      if (same_name(header.name, "host")) return see_host(header.value, request, seen);
      break;
    case 6:
      if (same_name(header.name, "expect")) {
        if (!same_name(header.value, "100-continue"))
          return fail(Code::expectation_failed, "an unknown Expect");
        seen.framing.expects_continue = true;
      }
      break;
    case 10:
      if (same_name(header.name, "connection")) see_connection(header.value, seen);
      break;
    case 14:
      if (same_name(header.name, "content-length")) return see_length(header.value, request, seen);
      break;
    case 17:
      if (same_name(header.name, "transfer-encoding")) return see_encoding(header.value, seen);
      break;
    default:
      break;
  }
  return {};
}

Result<void> parse_field(std::string_view line, Request& request, Seen& seen) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return bad("a header has no colon");
  Header header{.name = line.substr(0, colon), .value = trim(line.substr(colon + 1))};
  // A folded line starts with a blank, which is no token either.
  if (!is_field_name(header.name)) return bad("a header's name is not valid");
  if (!is_field_value(header.value)) return bad("a header's value is not valid");
  request.headers.push_back(header);
  return see_field(header, request, seen);
}

Result<void> parse_version(std::string_view text, Request& request) {
  if (text == "HTTP/1.1") {
    request.version_minor = 1;
    return {};
  }
  if (text == "HTTP/1.0") {
    request.version_minor = 0;
    return {};
  }
  const bool shaped = text.size() == 8 && text.starts_with("HTTP/") && text[6] == '.' &&
                      text[5] >= '0' && text[5] <= '9' && text[7] >= '0' && text[7] <= '9';
  if (!shaped) return bad("the request line is not valid");
  return fail(Code::version_not_supported, "the HTTP version is not 1.0 or 1.1");
}

// "http://host:port/path": gives the authority, and leaves what follows it. Empty: not this form.
std::string_view take_authority(std::string_view& rest) {
  for (const std::string_view scheme :
       {std::string_view("http://"), std::string_view("https://")}) {
    if (!same_name(rest.substr(0, scheme.size()), scheme)) continue;
    rest.remove_prefix(scheme.size());
    const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
    const std::string_view authority = rest.substr(0, end);
    rest.remove_prefix(end);
    return authority;
  }
  return {};
}

// `authority`: what the target names, empty if nothing.
Result<void> split_target(Request& request, std::string_view& authority) {
  std::string_view rest = request.target;
  if (rest.front() != '/') {
    if (rest == "*" && request.method == "OPTIONS") {
      request.path = rest;
      return {};
    }
    authority = take_authority(rest);
    if (authority.empty() || !all_of_class(authority, kHost)) return bad("the target is not valid");
  }
  const std::size_t mark = std::min(rest.find('?'), rest.size());
  request.path = mark == 0 ? std::string_view("/") : rest.substr(0, mark);
  if (mark < rest.size()) request.query = rest.substr(mark + 1);
  return {};
}

Result<void> parse_request_line(std::string_view line, Request& request,
                                std::string_view& authority) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return bad("the request line is not valid");
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  if (!is_field_name(request.method)) return bad("the method is not valid");
  if (request.target.empty() || !all_of_class(request.target, kTarget))
    return bad("the target is not valid");
  CARREL_TRY_VOID(parse_version(line.substr(last + 1), request));
  if (request.method == "CONNECT") return fail(Code::not_implemented, "CONNECT is not implemented");
  return split_target(request, authority);
}

Result<Framing> decide(Seen& seen, Request& request, std::string_view authority) {
  const bool old = request.version_minor == 0;
  if (seen.encoding && (seen.length || old))
    return bad("Transfer-Encoding stands beside Content-Length or HTTP/1.0");
  if (!seen.host && !old) return bad("there is no Host");
  if (!authority.empty()) {
    if (seen.host && !same_name(authority, request.host))
      return bad("the target and the Host name different hosts");
    request.host = authority;
  }
  request.has_body = seen.encoding || request.content_length.value_or(0) > 0;
  seen.framing.keep_alive = !seen.close && (!old || seen.keep);
  seen.framing.expects_continue &= request.has_body && !old;
  return seen.framing;
}

bool text_byte(unsigned char c) { return (c >= 0x20 || c == '\t') && c != 0x7f; }

constexpr unsigned kMostDigits = 15;         // of a chunk's size
constexpr std::size_t kMostExtension = 256;  // bytes a chunk
constexpr std::size_t kMostOverhead = 16 << 10;
constexpr unsigned kMostTrailers = 64;

}  // namespace

bool is_field_name(std::string_view text) { return !text.empty() && all_of_class(text, kToken); }

// No control bytes but the tab. Written so that the compiler vectorises it.
bool is_field_value(std::string_view text) {
  unsigned bad = 0;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    bad |= static_cast<unsigned>((u < 0x20) & (u != '\t')) | static_cast<unsigned>(u == 0x7f);
  }
  return bad == 0;
}

bool may_be_trailer(std::string_view name) {
  constexpr std::array<std::string_view, 30> kHeadOnly = {"connection",
                                                          "content-length",
                                                          "keep-alive",
                                                          "proxy-connection",
                                                          "te",
                                                          "trailer",
                                                          "transfer-encoding",
                                                          "upgrade",
                                                          "http2-settings",
                                                          "host",
                                                          "max-forwards",
                                                          "expect",
                                                          "range",
                                                          "location",
                                                          "authorization",
                                                          "proxy-authorization",
                                                          "proxy-authenticate",
                                                          "www-authenticate",
                                                          "cookie",
                                                          "set-cookie",
                                                          "content-encoding",
                                                          "content-range",
                                                          "content-type",
                                                          "cache-control",
                                                          "pragma",
                                                          "if-match",
                                                          "if-none-match",
                                                          "if-modified-since",
                                                          "if-unmodified-since",
                                                          "if-range"};
  return std::ranges::none_of(kHeadOnly,
                              [&](std::string_view known) { return same_name(known, name); });
}

bool has_option(std::string_view list, std::string_view option) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (same_name(trim(list.substr(0, comma)), option)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

HeadEnd find_head_end(std::string_view bytes, std::size_t seen) {
  const char* const begin = bytes.data();
  const char* const end = begin + bytes.size();
  const char* at = begin + seen;
  // A byte that starts no method is refused before more is waited for.
  if (!bytes.empty() && (kClass[static_cast<unsigned char>(bytes.front())] & kToken) == 0) {
    return {HeadEnd::State::malformed};
  }
  while (at < end) {
    at = static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
    if (at == nullptr) break;
    const auto position = static_cast<std::size_t>(at - begin);
    if (at[-1] != '\r') return {HeadEnd::State::malformed};  // never the first byte: checked above
    if (position >= 3 && at[-2] == '\n') return {HeadEnd::State::found, position + 1};
    ++at;
  }
  return {HeadEnd::State::incomplete};
}

Result<Framing> parse_head(std::string_view head, std::size_t max_headers, Request& request) {
  request.headers.clear();
  request.query = {};
  request.host = {};
  request.content_length.reset();
  Seen seen;
  std::string_view authority;
  std::size_t end = head.find('\n');
  CARREL_TRY_VOID(parse_request_line(head.substr(0, end - 1), request, authority));
  while (true) {
    const std::size_t begin = end + 1;
    end = head.find('\n', begin);
    if (end - begin == 1) break;  // the empty line
    if (request.headers.size() == max_headers)
      return fail(Code::headers_too_large, "there are too many headers");
    CARREL_TRY_VOID(parse_field(head.substr(begin, end - 1 - begin), request, seen));
  }
  return decide(seen, request, authority);
}

std::size_t ChunkDecoder::skip_framing(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && phase_ != Phase::data && phase_ != Phase::done &&
         phase_ != Phase::failed) {
    phase_ = step(static_cast<unsigned char>(bytes[used++]));
  }
  return used;
}

void ChunkDecoder::take(std::uint64_t bytes) {
  left_ -= bytes;
  if (left_ == 0) phase_ = Phase::data_cr;
}

ChunkDecoder::Phase ChunkDecoder::size_step(unsigned char c) {
  if (const int digit = hex_digit(static_cast<char>(c)); digit >= 0) {
    if (++digits_ > kMostDigits) return Phase::failed;
    left_ = left_ * 16 + static_cast<unsigned>(digit);
    return Phase::size;
  }
  if (digits_ == 0) return Phase::failed;
  line_ = 0;
  if (c == ';') return Phase::extension;
  return c == '\r' ? Phase::size_lf : Phase::failed;
}

bool ChunkDecoder::begin_trailer() {
  line_ = trailers_.size();
  return ++trailer_count_ <= kMostTrailers;
}

ChunkDecoder::Phase ChunkDecoder::trailer_step(unsigned char c) {
  if (++overhead_ > kMostOverhead) return Phase::failed;
  const bool in_value = phase_ == Phase::trailer_value;
  const bool ends_name = phase_ == Phase::trailer_name && c == ':';
  if (ends_name && !may_be_trailer(std::string_view(trailers_).substr(line_))) return Phase::failed;
  trailers_ += in_value && c == '\r' ? '\n' : static_cast<char>(c);
  if (ends_name) return Phase::trailer_value;
  if (!in_value) return (kClass[c] & kToken) != 0 ? Phase::trailer_name : Phase::failed;
  if (c == '\r') return Phase::trailer_lf;
  return text_byte(c) ? Phase::trailer_value : Phase::failed;
}

std::vector<Header> ChunkDecoder::trailers() const {
  std::vector<Header> fields;
  if (!done()) return fields;
  for (std::string_view rest = trailers_; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    const std::size_t colon = line.find(':');
    fields.push_back({.name = line.substr(0, colon), .value = trim(line.substr(colon + 1))});
    rest.remove_prefix(line.size() + 1);
  }
  return fields;
}

ChunkDecoder::Phase ChunkDecoder::step(unsigned char c) {
  switch (phase_) {
    case Phase::size:
      return size_step(c);
    case Phase::extension:
      if (c == '\r') return Phase::size_lf;
      if (++line_ > kMostExtension || ++overhead_ > kMostOverhead || !text_byte(c))
        return Phase::failed;
      return Phase::extension;
    case Phase::size_lf:
      if (c != '\n') return Phase::failed;
      return left_ > 0 ? Phase::data : Phase::trailer_start;
    case Phase::data_cr:
      return c == '\r' ? Phase::data_lf : Phase::failed;
    case Phase::data_lf:
      digits_ = 0;
      return c == '\n' ? Phase::size : Phase::failed;
    case Phase::trailer_start:
      if (c == '\r') return Phase::end_lf;
      return begin_trailer() ? trailer_step(c) : Phase::failed;
    case Phase::trailer_name:
    case Phase::trailer_value:
      return trailer_step(c);
    case Phase::trailer_lf:
      return c == '\n' ? Phase::trailer_start : Phase::failed;
    case Phase::end_lf:
      return c == '\n' ? Phase::done : Phase::failed;
    case Phase::data:
    case Phase::done:
    case Phase::failed:
      break;
  }
  return phase_;
}

}  // namespace carrel::net
