#include "patterns/hook/difference.h"

#include <nlohmann/json.hpp>

#include "document/json_text.h"

namespace carrel::hook {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kShown = 80;  // bytes

std::string shown(const Json* json) {
  if (json == nullptr) return {};
  std::string text = json->dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kShown) text.replace(kShown, std::string::npos, "...");
  return text;
}

std::string inner(const std::string& at, std::string_view name) {
  std::string pointer = at + "/";
  for (const char c : name) {
    if (c == '~') {
      pointer += "~0";
    } else if (c == '/') {
      pointer += "~1";
    } else {
      pointer += c;
    }
  }
  return pointer;
}

class Walk {
 public:
  explicit Walk(std::size_t most) : most_(most) {}

  // Once through both. Documents are nested no deeper than they were checked for. Null: it is not
  // there.
  void compare(const std::string& at, const Json* left, const Json* right) {
    if (found.size() == most_) return;
    if (left != nullptr && right != nullptr) {
      if (left->is_object() && right->is_object()) return compare_members(at, *left, *right);
      if (left->is_array() && right->is_array()) return compare_elements(at, *left, *right);
      if (*left == *right) return;
    }
    found.push_back({.at = at, .left = shown(left), .right = shown(right)});
  }

  std::vector<Difference> found;

 private:
  void compare_members(const std::string& at, const Json& left, const Json& right) {
    for (const auto& [name, value] : left.items()) {
      const auto other = right.find(name);
      compare(inner(at, name), &value, other == right.end() ? nullptr : &*other);
    }
    for (const auto& [name, value] : right.items()) {
      if (!left.contains(name)) compare(inner(at, name), nullptr, &value);
    }
  }
  void compare_elements(const std::string& at, const Json& left, const Json& right) {
    for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
      compare(inner(at, std::to_string(i)), i < left.size() ? &left[i] : nullptr,
              i < right.size() ? &right[i] : nullptr);
    }
  }

  const std::size_t most_;
};

Json parsed(std::string_view text) {
  return document::check_json(text, {}) ? Json::parse(text, nullptr, false)
                                        : Json(Json::value_t::discarded);
}

std::string begin_of(std::string_view text) {
  if (document::is_blank(text)) return {};
  const Json json = std::string(text.substr(0, kShown));
  return "no JSON: " + shown(&json);
}

}  // namespace

std::vector<Difference> differences(std::string_view left, std::string_view right,
                                    std::size_t most) {
  const bool nothing = document::is_blank(left) && document::is_blank(right);
  if (left == right || nothing) return {};
  const Json a = parsed(left), b = parsed(right);
  if (a.is_discarded() || b.is_discarded()) {
    return {{.at = "",
             .left = a.is_discarded() ? begin_of(left) : shown(&a),
             .right = b.is_discarded() ? begin_of(right) : shown(&b)}};
  }
  Walk walk(most);
  walk.compare("", &a, &b);
  return std::move(walk.found);
}

}  // namespace carrel::hook
