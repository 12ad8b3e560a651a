#include "capability/http/message.h"

#include <algorithm>
#include <charconv>

#include "net/parser.h"

namespace carrel::capability::http {
namespace {

constexpr std::size_t kMaxHeaders = 256;

std::unexpected<Error> bad(const char* why) {
  return fail(Code::invalid_argument, why,
              "write \"METHOD URL\", headers, an empty line, and the body");
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The next line without its end, or nothing if it does not end.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Result<void> read_request_line(std::string_view line, net::OutgoingRequest& request) {
  const auto first = line.find(' ');
  if (first == std::string_view::npos) return bad("the request line has no URL");
  request.method = line.substr(0, first);
  std::string_view url = line.substr(first + 1);
  const auto second = url.find(' ');
  if (second != std::string_view::npos) {
    const std::string_view version = url.substr(second + 1);
    if (version != "HTTP/1.1" && version != "HTTP/1.0") return bad("the HTTP version is unknown");
    url = url.substr(0, second);
  }
  CARREL_TRY(request.url, net::parse_url(url));
  return {};
}

}  // namespace

Result<net::OutgoingRequest> read_request(std::string_view message) {
  net::OutgoingRequest request;
  const auto line = take_line(message);
  if (!line) return bad("the request line does not end");
  CARREL_TRY_VOID(read_request_line(*line, request));
  for (;;) {
    const auto field = take_line(message);
    if (!field) return bad("there is no empty line after the headers");
    if (field->empty()) break;
    const auto colon = field->find(':');
    if (colon == std::string_view::npos) return bad("a header has no colon");
    if (request.headers.size() == kMaxHeaders) return bad("there are too many headers");
    const std::string_view name = field->substr(0, colon);
    const std::string_view value = trim(field->substr(colon + 1));
    if (net::same_name(name, "te")) request.takes_trailers = net::has_option(value, "trailers");
    request.headers.emplace_back(name, value);
  }
  request.body = message;
  return request;
}

bool has_head(std::string_view message) {
  return message.contains("\n\n") || message.contains("\n\r\n");
}

bool has_chunks(const net::OutgoingRequest& request) {
  return std::ranges::any_of(request.headers, [](const auto& header) {
    return net::same_name(header.first, "transfer-encoding") &&
           net::same_name(header.second, "chunked");
  });
}

Result<std::optional<std::uint64_t>> length_of(const net::OutgoingRequest& request) {
  std::optional<std::uint64_t> length;
  for (const auto& [name, value] : request.headers) {
    if (!net::same_name(name, "content-length")) continue;
    std::uint64_t said = 0;
    const char* const end = value.data() + value.size();
    const auto [after, error] = std::from_chars(value.data(), end, said);
    if (length || error != std::errc() || after != end) {
      return fail(Code::invalid_argument, "the Content-Length is not a number",
                  "leave it out, or say the body's bytes once");
    }
    length = said;
  }
  return length;
}

}  // namespace carrel::capability::http
