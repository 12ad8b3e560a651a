#include "patterns/hook/fragment.h"

#include <nlohmann/json.hpp>

#include "document/html.h"

namespace carrel::hook {
namespace {

using Json = nlohmann::json;
using document::Problem;

// "~1" is a slash in a name, "~0" a tilde (RFC 6901).
std::string unescape(std::string_view part) {
  std::string name;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const bool escape = part[i] == '~' && i + 1 < part.size();
    name += escape && part[i + 1] == '1' ? '/' : part[i];
    if (escape && (part[i + 1] == '0' || part[i + 1] == '1')) ++i;
  }
  return name;
}

void clean_text(Json& value, const std::string& at, std::vector<Problem>& problems) {
  if (!value.is_string()) {
    problems.push_back({at, "is not a text with HTML"});
    return;
  }
  auto safe = document::clean_html(value.get_ref<const std::string&>());
  if (safe) {
    value = std::move(*safe);
  } else {
    problems.push_back({at, safe.error().message()});
  }
}

// `rest`: what of the pointer is below `value`. No deeper than the pointer has parts.
void clean_at(Json& value, std::string_view rest, const std::string& at,
              std::vector<Problem>& problems) {
  if (rest.empty()) return clean_text(value, at, problems);
  rest.remove_prefix(1);
  const auto end = std::min(rest.find('/'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end);
  if (part == "*" && value.is_array()) {
    for (std::size_t i = 0; i < value.size(); ++i)
      clean_at(value[i], rest, at + "/" + std::to_string(i), problems);
    return;
  }
  if (!value.is_object()) return;
  const auto found = value.find(unescape(part));
  if (found != value.end()) clean_at(*found, rest, at + "/" + std::string(part), problems);
}

}  // namespace

std::vector<Problem> clean_fragments(const std::vector<std::string>& places, std::string& answer) {
  std::vector<Problem> problems;
  Json json = Json::parse(answer, nullptr, false);
  for (const std::string& place : places) clean_at(json, place, "", problems);
  if (problems.empty()) answer = json.dump();
  return problems;
}

}  // namespace carrel::hook
