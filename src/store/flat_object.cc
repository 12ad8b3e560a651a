#include "store/flat_object.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace carrel::store {
namespace {

using Json = nlohmann::json;

std::unexpected<Error> wrong(std::string what) {
  return fail(Code::invalid_argument, std::move(what));
}

// Fields come from outside: shown without what a terminal would take as a command.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 40)) out += c >= ' ' && c <= '~' ? c : '?';
  return out;
}

}  // namespace

// Stops at the first thing that is not expected, so that nothing of it is kept.
class FlatReader final : public nlohmann::json_sax<Json> {
 public:
  explicit FlatReader(FlatObject& into) : into_(into) {}
  const std::string& problem() const { return problem_; }

  bool null() override { return refuse("it holds null"); }
  bool boolean(bool value) override { return keep(value); }
  bool number_integer(std::int64_t value) override { return keep(value); }
  bool number_unsigned(std::uint64_t value) override {
    if (value > INT64_MAX) return refuse("it holds a number that is too large");
    return keep(static_cast<std::int64_t>(value));
  }
  bool number_float(double /*value*/, const std::string& /*text*/) override {
    return refuse("it holds a number that is not whole, or too large");
  }
  bool string(std::string& value) override { return keep(std::move(value)); }
  bool binary(Json::binary_t& /*value*/) override { return refuse("it is not JSON"); }
  bool start_object(std::size_t /*size*/) override {
    return !std::exchange(inside_, true) || refuse("it holds an object in the object");
  }
  bool key(std::string& name) override {
    if (into_.fields_.size() == FlatObject::kMostFields) return refuse("it has too many fields");
    field_ = std::move(name);
    return !into_.has(field_) || refuse(fmt::format("it has \"{}\" twice", shown(field_)));
  }
  bool end_object() override { return true; }
  bool start_array(std::size_t /*size*/) override { return refuse("it holds an array"); }
  bool end_array() override { return true; }
  bool parse_error(std::size_t at, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*error*/) override {
    return refuse(fmt::format("it is not JSON, from byte {} on", at));
  }

 private:
  bool refuse(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
    return false;
  }
  bool keep(FlatObject::Field value) {
    if (!inside_) return refuse("it is not a JSON object");
    into_.fields_.emplace(std::move(field_), std::move(value));
    return true;
  }

  FlatObject& into_;
  std::string field_, problem_;
  bool inside_ = false;
};

Result<FlatObject> FlatObject::read(std::string_view text) {
  FlatObject object;
  FlatReader reader(object);
  if (Json::sax_parse(text, &reader)) return object;
  return wrong(reader.problem());
}

Result<std::string> FlatObject::take_text(const std::string& field) {
  const auto at = fields_.find(field);
  if (at == fields_.end()) return wrong(fmt::format("it has no \"{}\"", field));
  auto* const text = std::get_if<std::string>(&at->second);
  if (text == nullptr) return wrong(fmt::format("\"{}\" is not a text", field));
  std::string taken = std::move(*text);
  fields_.erase(at);
  return taken;
}

Result<std::int64_t> FlatObject::take_number(const std::string& field) {
  const auto at = fields_.find(field);
  if (at == fields_.end()) return wrong(fmt::format("it has no \"{}\"", field));
  const auto* const number = std::get_if<std::int64_t>(&at->second);
  if (number == nullptr) return wrong(fmt::format("\"{}\" is not a number", field));
  const std::int64_t taken = *number;
  fields_.erase(at);
  return taken;
}

Result<void> FlatObject::take_true(const std::string& field) {
  const auto at = fields_.find(field);
  if (at == fields_.end() || at->second != Field(true)) {
    return wrong(fmt::format("\"{}\" is not true", field));
  }
  fields_.erase(at);
  return {};
}

Result<void> FlatObject::expect_empty() const {
  if (fields_.empty()) return {};
  return wrong(fmt::format("it has a field \"{}\" that does not belong there",
                           shown(fields_.begin()->first)));
}

}  // namespace carrel::store
