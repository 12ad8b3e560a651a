// Texts in JSON that somebody else wrote: never an exception.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/base64.h"
#include "base/utf8.h"

namespace carrel::cli {

// Empty: it is no object, or has no text of that name.
inline std::string text_in(const nlohmann::json& json, const char* name) {
  if (!json.is_object()) return {};
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Bytes under `field`, or, when they are not UTF-8, in base64 under `field`64.
inline nlohmann::json named(const std::string& field, const std::string& bytes) {
  if (is_utf8(bytes)) return {{field, bytes}};
  return {{field + "64", to_base64(bytes)}};
}

// The name of an entry or event, by which `named` names it. Empty: there is none.
inline std::string name_in(const nlohmann::json& json) {
  auto name = text_in(json, "name");
  return name.empty() ? from_base64(text_in(json, "name64")).value_or("") : name;
}

}  // namespace carrel::cli
