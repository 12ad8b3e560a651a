#include "patterns/hook/mask.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "patterns/hook/pointer.h"

namespace carrel::hook {
namespace {

using Json = nlohmann::json;

void hide(Json& value) {
  if (value.is_string()) {
    value = "***";
  } else if (value.is_boolean()) {
    value = false;
  } else if (value.is_number()) {
    value = 0;
  } else if (value.is_array()) {
    value = Json::array();
  } else if (value.is_object()) {
    value = Json::object();
  }
}

// `rest`: what of the pointer is below `value`. No deeper than the pointer has parts.
void hide_at(Json& value, std::string_view rest) {
  if (rest.empty()) return hide(value);
  rest.remove_prefix(1);
  const auto end = std::min(rest.find('/'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end);
  if (value.is_null()) return;
  if (value.is_array() && part == "*") {
    for (Json& each : value) hide_at(each, rest);
    return;
  }
  if (value.is_array()) {
    const auto index = pointer_index(part);
    if (!index) return hide(value);
    if (*index < value.size()) hide_at(value[*index], rest);
    return;
  }
  if (!value.is_object()) return hide(value);
  if (part == "*") return hide(value);
  const auto found = value.find(pointer_name(part));
  if (found != value.end()) hide_at(*found, rest);
}

}  // namespace

std::string masked(const std::vector<std::string>& places, std::string_view document) {
  if (places.empty()) return std::string(document);
  Json json = Json::parse(document, nullptr, false);
  if (json.is_discarded()) return "null";
  for (const std::string& place : places) hide_at(json, place);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace carrel::hook
