#include "abi/cgi_environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "base/utf8.h"
#include "net/authority.h"

namespace carrel::abi {
namespace {

constexpr std::string_view kSoftware = "Carrel/0.1 (WAGI/1)";

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

std::string variable_name(std::string_view prefix, std::string_view name) {
  std::string text(prefix);
  for (char c : name) text += c == '-' || c == '.' ? '_' : upper(c);
  return text;
}

class Decimal {
 public:
  explicit Decimal(std::uint64_t value)
      : end_(std::to_chars(digits_, digits_ + sizeof digits_, value).ptr) {}
  operator std::string_view() const { return {digits_, static_cast<std::size_t>(end_ - digits_)}; }

 private:
  char digits_[20];
  char* end_;
};

bool is_withheld(std::string_view name) {
  return net::same_name(name, "authorization") || net::same_name(name, "connection") ||
         net::same_name(name, "proxy");
}

void add_headers(wasi::Strings& out, const net::Request& request) {
  for (std::size_t i = 0; i < request.headers.size(); ++i) {
    const net::Header& header = request.headers[i];
    if (is_withheld(header.name)) continue;
    bool again = false;  // the last of a name wins
    for (std::size_t k = i + 1; k < request.headers.size() && !again; ++k) {
      again = net::same_name(request.headers[k].name, header.name);
    }
    if (again) continue;
    out.begin("HTTP_");
    for (char c : header.name) out.append(c == '-' ? '_' : upper(c));
    out.append('=');
    out.append(is_utf8(header.value) ? header.value : std::string_view("CORRUPT VALUE"));
    out.end();
  }
}

// Whom the server has verified; a header says nothing here.
std::string_view user_of(const turn::Event& event) {
  if (event.identity.empty()) return {};
  const auto found =
      std::ranges::find(event.attributes, "authid", &std::pair<std::string, std::string>::first);
  return found == event.attributes.end() ? std::string_view() : found->second;
}

void add_request(wasi::Strings& out, const turn::Event& event) {
  const net::Request& request = *event.request;
  const turn::HttpTarget& target = *event.target;
  const net::Authority authority = net::split_authority(request.host);
  const Decimal local_port(request.local_port);
  const std::string_view port = authority.port.empty() ? std::string_view("80") : authority.port;
  out.add("AUTH_TYPE", event.identity.empty() ? "" : "Bearer");
  if (request.content_length) {
    out.add("CONTENT_LENGTH", Decimal(*request.content_length));
  } else if (!request.has_body) {
    out.add("CONTENT_LENGTH", "0");
  }
  out.add("CONTENT_TYPE", request.header("content-type"));
  out.add("GATEWAY_INTERFACE", "CGI/1.1");
  out.add("PATH_INFO", target.path_info);
  out.add("PATH_TRANSLATED", target.path_info);
  out.add("QUERY_STRING", request.query);
  out.add("REMOTE_ADDR", request.remote_address);
  out.add("REMOTE_HOST", request.remote_address);
  out.add("REMOTE_USER", user_of(event));
  out.add("REQUEST_METHOD", request.method);
  out.add("SCRIPT_NAME", target.script_name);
  out.add("SERVER_NAME", authority.host);
  out.add("SERVER_PORT", port);
  out.add("SERVER_PROTOCOL", request.version_minor == 0 ? "HTTP/1.0" : "HTTP/1.1");
  out.add("SERVER_SOFTWARE", kSoftware);
  out.add("X_MATCHED_ROUTE", target.route);
  out.add("X_RAW_PATH_INFO", target.raw_path_info);
  out.begin("X_FULL_URL=");
  for (std::string_view part : {request.scheme, std::string_view("://"), authority.host,
                                std::string_view(":"), port, request.target}) {
    out.append(part);
  }
  out.end();
  for (const auto& [name, value] : target.parameters)
    out.add(variable_name("CARREL_PARAM_", name), value);
  add_headers(out, request);
}

// Digit by digit: every turn has one, and formatting it costs as much as a fifth of an instance.
class TimeText {
 public:
  explicit TimeText(WallTime time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss clock(seconds - day);
    put(0, 4, static_cast<unsigned>(int{date.year()}));
    put(5, 2, unsigned{date.month()});
    put(8, 2, unsigned{date.day()});
    put(11, 2, static_cast<unsigned>(clock.hours().count()));
    put(14, 2, static_cast<unsigned>(clock.minutes().count()));
    put(17, 2, static_cast<unsigned>(clock.seconds().count()));
  }
  operator std::string_view() const { return {text_.data(), text_.size()}; }

 private:
  void put(std::size_t at, std::size_t digits, unsigned value) {
    for (std::size_t i = digits; i > 0; --i, value /= 10)
      text_[at + i - 1] = static_cast<char>('0' + value % 10);
  }
  std::array<char, 20> text_ = {'0', '0', '0', '0', '-', '0', '0', '-', '0', '0',
                                'T', '0', '0', ':', '0', '0', ':', '0', '0', 'Z'};
};

void add_event(wasi::Strings& out, const turn::Event& event, std::uint64_t turn) {
  out.add("CE_SPECVERSION", "1.0");
  out.add("CE_ID", event.id.empty() ? fmt::format("{:016x}", turn) : std::string(event.id));
  out.add("CE_SOURCE", event.source);
  out.add("CE_TYPE", event.type);
  if (!event.subject.empty()) out.add("CE_SUBJECT", event.subject);
  out.add("CE_TIME", TimeText(event.time));
  for (const auto& [name, value] : event.attributes) out.add(variable_name("CE_", name), value);
}

void add_items(wasi::Strings& out, std::string_view text, char separator) {
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (end > 0) out.add(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

}  // namespace

wasi::Strings environment_of(const turn::Turn& turn) {
  wasi::Strings out(1024);
  if (turn.event.request != nullptr) {
    add_request(out, turn.event);
  } else {
    add_event(out, turn.event, turn.id);
  }
  for (const auto& [name, value] : turn.module.environment) out.add(name, value);
  return out;
}

wasi::Strings arguments_of(const turn::Turn& turn) {
  wasi::Strings out;
  const net::Request* request = turn.event.request;
  if (!turn.module.argv.empty()) {
    std::string path, arguments;
    if (request != nullptr) {
      path = turn.event.target->script_name;
      arguments = replaced(std::string(request->query), "&", " ");
    }
    std::string text = replaced(turn.module.argv, "${SCRIPT_NAME}", path);
    add_items(out, replaced(std::move(text), "${ARGS}", arguments), ' ');
  } else if (request != nullptr) {
    out.add(request->path);
    add_items(out, request->query, '&');
  } else {
    out.add(turn.module.name.str());
  }
  return out;
}

}  // namespace carrel::abi
