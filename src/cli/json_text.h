// Texts in JSON that somebody else wrote: never an exception.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace carrel::cli {

// Empty: it is no object, or has no text of that name.
inline std::string text_in(const nlohmann::json& json, const char* name) {
  if (!json.is_object()) return {};
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace carrel::cli
