#include "net/http.h"

#include <fmt/format.h>

#include <algorithm>

namespace carrel::net {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view Request::header(std::string_view name) const {
  for (const Header& header : headers) {
    if (same_name(header.name, name)) return header.value;
  }
  return {};
}

ReplyHead problem_head(const Error& error) {
  return {.status = http_status(error.code()),
          .headers = {{"content-type", "application/problem+json"}}};
}

// The catalogue's texts need no escaping, and nothing else goes in.
std::string problem_body(const Error& error, std::uint64_t id) {
  return fmt::format(
      R"({{"type":"about:blank","title":"{}","status":{},"code":"{}","id":"{:016x}"}})"
      "\n",
      code_text(error.code()), http_status(error.code()), code_name(error.code()), id);
}

}  // namespace carrel::net
