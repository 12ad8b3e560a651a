// A JSON Schema (2020-12), compiled once, and documents checked against it.
//
// Neither the schema nor the document is trusted: nothing outside the schema is fetched, patterns
// take linear time, and a check that takes too long fails. What is said of a document names the
// place in it and never repeats its values.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct carrel_schema;

namespace carrel::document {

inline constexpr std::size_t kMaxSchema = 256 << 10;  // bytes

struct Problem {
  std::string at;       // a JSON pointer into the document; empty: the whole
  std::string message;  // "is not of type \"string\""
};

// "/items/3/price: is not of type \"number\"", one after the other.
std::string text_of(const std::vector<Problem>& problems);

// Immutable. Thread-safe.
class Schema {
 public:
  // Errors: invalid_config that says what is wrong.
  static Result<std::shared_ptr<const Schema>> compile(std::string_view text);
  ~Schema();
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;

  // None: it is valid. At most the first eight.
  std::vector<Problem> check(std::string_view document) const;

 private:
  explicit Schema(carrel_schema* schema) : schema_(schema) {}
  carrel_schema* schema_;
};

}  // namespace carrel::document
