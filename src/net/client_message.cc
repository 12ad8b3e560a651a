#include "net/client_message.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "net/parser.h"

namespace carrel::net {
namespace {

constexpr std::size_t kMaxMethod = 32, kMaxHeaders = 256, kMaxHeadBytes = 64 << 10;

// Fields that belong to one connection (RFC 9110, 7.6.1), and Expect, which we do not wait for.
constexpr std::array<std::string_view, 10> kOfConnection = {"connection",
                                                            "keep-alive",
                                                            "proxy-connection",
                                                            "proxy-authenticate",
                                                            "te",
                                                            "proxy-authorization",
                                                            "trailer",
                                                            "transfer-encoding",
                                                            "upgrade",
                                                            "expect"};

bool is_one_of(std::string_view name, const auto& names) {
  return std::ranges::any_of(names, [&](std::string_view one) { return same_name(one, name); });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

void add_options(std::string_view value, std::vector<std::string_view>& options) {
  while (!value.empty()) {
    const std::size_t comma = std::min(value.find(','), value.size());
    options.push_back(trim(value.substr(0, comma)));
    value.remove_prefix(std::min(comma + 1, value.size()));
  }
}

std::unexpected<Error> unfit(std::string message) {
  return fail(Code::invalid_argument, std::move(message));
}

Result<void> check_line(const OutgoingRequest& request) {
  const std::string& method = request.method;
  if (!is_field_name(method) || method.size() > kMaxMethod) {
    return unfit("the method is not valid");
  }
  for (const auto* refused : {"CONNECT", "TRACE", "TRACK"}) {
    if (same_name(method, refused)) return unfit(fmt::format("{} may not be sent", refused));
  }
  if (const auto url = parse_url(request.url.text()); !url || *url != request.url) {
    return unfit("the URL is not valid");
  }
  return {};
}

Result<void> check_headers(const OutgoingRequest& request) {
  if (request.headers.size() > kMaxHeaders) return unfit("there are too many headers");
  std::size_t bytes = 0;
  for (const auto& [name, value] : request.headers) {
    if (!is_field_name(name)) return unfit("a header's name is not valid");
    if (!is_field_value(value)) return unfit(fmt::format("the header {} is not valid", name));
    bytes += name.size() + value.size() + 4;
  }
  if (bytes > kMaxHeadBytes) return unfit("the headers are too large");
  return {};
}

// No less than a head takes.
std::size_t bytes_of(const OutgoingRequest& request) {
  constexpr std::size_t kOurs = 256;
  std::size_t bytes =
      kOurs + request.method.size() + request.url.target.size() + request.url.host.size();
  for (const auto& [name, value] : request.headers) bytes += name.size() + value.size() + 4;
  return bytes;
}

// What is sent then may have trailers, and may say which.
bool is_chunked(const OutgoingRequest& request) {
  return request.stream ? !request.stream->length : !request.trailers.empty();
}

bool usually_has_a_body(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

std::unexpected<Error> bad(std::string_view why) {
  return fail(Code::egress_bad_response, fmt::format("the response is not valid: {}", why));
}

Result<std::uint64_t> parse_length(std::string_view text) {
  constexpr std::size_t kMostDigits = 18;
  if (text.empty() || text.size() > kMostDigits) return bad("its Content-Length is no number");
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return bad("its Content-Length is no number");
    value = (value * 10) + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// The fields of a response as they are read, before what they mean together is decided.
struct ReadFields {
  std::vector<Header> all;
  std::vector<std::string_view> options;  // of Connection
  std::optional<std::uint64_t> length;
  bool chunked = false;
};

Result<void> read_field(std::string_view line, ReadFields& fields) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return bad("a header has no colon");
  const Header header{.name = line.substr(0, colon), .value = trim(line.substr(colon + 1))};
  // A folded line starts with a blank, which is no token either.
  if (!is_field_name(header.name) || !is_field_value(header.value)) {
    return bad("a header has a character that may not be there");
  }
  if (fields.all.size() == kMaxHeaders) return bad("it has too many headers");
  fields.all.push_back(header);
  if (same_name(header.name, "connection")) add_options(header.value, fields.options);
  if (same_name(header.name, "content-length")) {
    if (fields.length) return bad("it has more than one Content-Length");
    CARREL_TRY(fields.length, parse_length(header.value));
  }
  if (same_name(header.name, "transfer-encoding")) {
    if (fields.chunked || !same_name(header.value, "chunked")) {
      return bad("its Transfer-Encoding is not exactly chunked");
    }
    fields.chunked = true;
  }
  return {};
}

struct StatusLine {
  int status = 0;
  bool old = false;  // HTTP/1.0
};

// "HTTP/1.1 200 OK"; the last blank may be missing with the reason.
Result<StatusLine> parse_status_line(std::string_view line) {
  constexpr std::size_t kVersion = 8, kCode = 3;
  StatusLine result;
  if (line.starts_with("HTTP/1.0")) {
    result.old = true;
  } else if (!line.starts_with("HTTP/1.1")) {
    return bad("it is not HTTP/1");
  }
  line.remove_prefix(kVersion);
  if (line.size() < kCode + 1 || line.front() != ' ' ||
      (line.size() > kCode + 1 && line[kCode + 1] != ' ')) {
    return bad("its status line is malformed");
  }
  for (const char c : line.substr(1, kCode)) {
    if (c < '0' || c > '9') return bad("its status is no number");
    result.status = (result.status * 10) + (c - '0');
  }
  if (result.status < 100 || result.status > 599) return bad("its status is unknown");
  return result;
}

}  // namespace

bool is_repeatable(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "PUT" ||
         method == "DELETE";
}

Result<std::string> write_request_head(const OutgoingRequest& request) {
  CARREL_TRY_VOID(check_line(request));
  CARREL_TRY_VOID(check_headers(request));
  std::vector<std::string_view> options;
  for (const auto& [name, value] : request.headers) {
    if (same_name(name, "connection")) add_options(value, options);
  }
  std::string head;  // in one place from the start: there may be secrets in it
  head.reserve(bytes_of(request));
  const auto add = std::back_inserter(head);
  fmt::format_to(add, "{} {} HTTP/1.1\r\nHost: {}\r\n", request.method, request.url.target,
                 request.url.authority());
  bool named = false;
  for (const auto& [name, value] : request.headers) {
    const bool ours = same_name(name, "host") || same_name(name, "content-length");
    const bool announces = same_name(name, "trailer") && is_chunked(request);
    if (ours || (is_one_of(name, kOfConnection) && !announces) || is_one_of(name, options))
      continue;
    named = named || same_name(name, "user-agent");
    fmt::format_to(add, "{}: {}\r\n", name, value);
  }
  if (!named) head += "User-Agent: carrel\r\n";
  if (request.takes_trailers) head += "TE: trailers\r\nConnection: TE\r\n";
  if (is_chunked(request)) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (request.stream) {
    fmt::format_to(add, "Content-Length: {}\r\n", *request.stream->length);
  } else if (!request.body.empty() || usually_has_a_body(request.method)) {
    fmt::format_to(add, "Content-Length: {}\r\n", request.body.size());
  }
  head += "\r\n";
  return head;
}

Result<std::string> write_last_chunk(const Fields& trailers) {
  std::string text = "0\r\n";
  for (const auto& [name, value] : trailers) {
    if (!is_field_name(name) || !is_field_value(value)) return unfit("a trailer is not valid");
    if (!may_be_trailer(name)) return unfit(fmt::format("{} may not be a trailer", name));
    fmt::format_to(std::back_inserter(text), "{}: {}\r\n", name, value);
  }
  return text += "\r\n";
}

Result<ResponseHead> parse_response_head(std::string_view head, std::string_view method) {
  constexpr std::string_view kEnd = "\r\n";
  CARREL_TRY(const StatusLine line, parse_status_line(head.substr(0, head.find(kEnd))));
  ReadFields fields;
  for (head.remove_prefix(std::min(head.find(kEnd) + 2, head.size()));
       !head.empty() && !head.starts_with(kEnd);) {
    const auto end = head.find(kEnd);
    if (end == std::string_view::npos) return bad("a header does not end");
    CARREL_TRY_VOID(read_field(head.substr(0, end), fields));
    head.remove_prefix(end + 2);
  }
  if (fields.chunked && (fields.length || line.old)) {
    return bad("Transfer-Encoding stands beside Content-Length or HTTP/1.0");
  }
  if (line.status == 101) return bad("it switches protocols, which was not asked for");

  ResponseHead response{.head = {.status = line.status}};
  const bool bodiless =
      line.status < 200 || line.status == 204 || line.status == 304 || method == "HEAD";
  if (!bodiless) {
    response.body = fields.chunked  ? BodyKind::chunked
                    : fields.length ? BodyKind::length
                                    : BodyKind::until_close;
    response.length = fields.length.value_or(0);
    if (fields.length == 0U) response.body = BodyKind::none;
  }
  response.keep_alive = response.body != BodyKind::until_close &&
                        !is_one_of("close", fields.options) &&
                        (!line.old || is_one_of("keep-alive", fields.options));
  for (const Header& field : fields.all) {
    if (is_one_of(field.name, kOfConnection) || is_one_of(field.name, fields.options)) continue;
    response.head.headers.emplace_back(field.name, field.value);
  }
  return response;
}

}  // namespace carrel::net
