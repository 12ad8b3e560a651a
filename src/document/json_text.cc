#include "document/json_text.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "document/quick_json.h"

namespace carrel::document {
namespace {

using Json = nlohmann::json;

// Looks at a text's events; stops at the first that is wrong.
class Checker final : public nlohmann::json_sax<Json> {
 public:
  explicit Checker(std::size_t depth) : depth_(depth) {}

  const std::string& problem() const { return problem_; }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override {
    names_.emplace_back();
    return deeper();
  }
  bool key(string_t& name) override {
    if (names_.back().insert(name).second) return true;
    constexpr std::size_t kShown = 64;
    problem_ = fmt::format(
        "an object has the name {} twice",
        Json(name.substr(0, kShown)).dump(-1, ' ', true, Json::error_handler_t::replace));
    return false;
  }
  bool end_object() override {
    names_.pop_back();
    return shallower();
  }
  bool start_array(std::size_t) override { return deeper(); }
  bool end_array() override { return shallower(); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    problem_ = fmt::format("it is not JSON at byte {}", position);
    return false;
  }

 private:
  bool deeper() {
    if (++open_ <= depth_) return true;
    problem_ = fmt::format("it is nested deeper than {} levels", depth_);
    return false;
  }
  bool shallower() {
    --open_;
    return true;
  }

  std::size_t depth_, open_ = 0;
  std::vector<std::set<std::string>> names_;  // of the objects that are open
  std::string problem_;
};

}  // namespace

Result<void> check_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    return fail(Code::bad_request,
                fmt::format("it has {} bytes, and {} are the most", text.size(), limits.bytes));
  }
  // Both are nowhere in JSON (RFC 8259), and the parser takes them for an end and for nothing.
  if (text.contains('\0') || text.starts_with("\xef\xbb\xbf"))
    return fail(Code::bad_request, "it is not JSON: it has a NUL or begins with a byte order mark");
  if (is_surely_json(text, limits.depth)) return {};
  Checker checker(limits.depth);  // says what is wrong, and decides what the quick one leaves open
  if (Json::sax_parse(text.begin(), text.end(), &checker)) return {};
  return fail(Code::bad_request, checker.problem());
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

}  // namespace carrel::document
