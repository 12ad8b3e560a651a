#include "abi/cgi_reply.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace carrel::abi {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_token(std::string_view name) {
  static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || kMarks.contains(c);
  });
}

bool is_field_value(std::string_view value) {
  return std::ranges::all_of(value, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
  });
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_framing(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "connection", "content-length", "keep-alive",        "proxy-connection",
      "te",         "trailer",        "transfer-encoding", "upgrade"};
  return std::ranges::find(kNames, name) != std::end(kNames);
}

std::unexpected<Error> bad(std::string message) {
  return fail(Code::guest_bad_reply, std::move(message));
}

Result<int> parse_status(std::string_view value) {
  int status = 0;
  const auto [rest, error] = std::from_chars(value.begin(), value.end(), status);
  if (error != std::errc() || (rest != value.end() && *rest != ' ') || status < 200 ||
      status > 599) {
    return bad(fmt::format("the status \"{}\" is not a number from 200 to 599", value));
  }
  return status;
}

struct HeadBuilder {
  net::ReplyHead head;
  std::size_t given = 0;  // with those that a later one replaces
  bool has_status = false;
  bool has_location = false;
  bool has_type = false;

  Result<void> add(std::string name, std::string_view value) {
    if (name == "status") {
      CARREL_TRY(head.status, parse_status(value));
      has_status = true;
      return {};
    }
    if (is_framing(name)) return {};
    if (++given == kMaxHeaders + 1) return bad(fmt::format("more than {} headers", kMaxHeaders));
    has_location |= name == "location";
    has_type |= name == "content-type";
    if (name != "set-cookie") {
      for (auto& [known, old] : head.headers) {
        if (known == name) {
          old.assign(value);
          return {};
        }
      }
    }
    head.headers.emplace_back(std::move(name), value);
    return {};
  }
};

}  // namespace

std::optional<HeadEnd> find_head_end(std::string_view output, std::size_t seen) {
  // An end may lie across the border of what was searched: up to "\n\r".
  for (std::size_t at = seen > 2 ? seen - 2 : 0;; ++at) {
    at = output.find('\n', at);
    if (at == std::string_view::npos) return std::nullopt;
    std::size_t next = at + 1;
    if (next < output.size() && output[next] == '\r') ++next;
    if (next < output.size() && output[next] == '\n') return HeadEnd{at, next + 1};
  }
}

Result<net::ReplyHead> parse_head(std::string_view head) {
  HeadBuilder builder;
  std::string line;
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    line.assign(head.substr(0, end));
    head.remove_prefix(std::min(end + 1, head.size()));
    std::erase(line, '\r');
    if (line.empty()) continue;

    const auto colon = line.find(':');
    if (colon == std::string::npos)
      return bad(fmt::format("the header line \"{:.80}\" has no ':'", line));
    std::string name(trim(std::string_view(line).substr(0, colon)));
    std::ranges::transform(name, name.begin(), lower);
    if (!is_token(name)) return bad(fmt::format("\"{:.80}\" is not a header's name", name));
    const std::string_view value = trim(std::string_view(line).substr(colon + 1));
    if (!is_field_value(value))
      return bad(fmt::format("the header {} holds control characters", name));
    CARREL_TRY_VOID(builder.add(std::move(name), value));
  }
  if (!builder.has_status && !builder.has_location && !builder.has_type) {
    return bad("the reply has neither a content-type, a location nor a status");
  }
  if (builder.has_location && !builder.has_status) builder.head.status = 302;
  return std::move(builder.head);
}

}  // namespace carrel::abi
