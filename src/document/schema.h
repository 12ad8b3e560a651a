// A JSON Schema (2020-12), compiled once, and documents checked against it.
//
// Neither the schema nor the document is trusted: nothing outside the schema is fetched, patterns
// take linear time, and a check that takes too long fails. A document is read once, as JSON that
// means the same to every reader (json_text.h) and against the schema. What is said of it names the
// place in it and never repeats its values.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "document/json_text.h"

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

  // None: it is JSON, and valid. At most the first eight.
  std::vector<Problem> check(std::string_view document, const JsonLimits& limits = {}) const;

 private:
  explicit Schema(carrel_schema* schema) : schema_(schema) {}
  carrel_schema* schema_;
};

// What is wrong with a document. None: it is JSON, and valid if there is a schema.
std::vector<Problem> problems_in(std::string_view document, const JsonLimits& limits,
                                 const Schema* schema);

}  // namespace carrel::document
