#include "document/schema.h"

#include <carrel/schema.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "document/archive_buffer.h"

namespace carrel::document {

std::string text_of(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += "; ";
    text += problem.at.empty() ? problem.message : problem.at + ": " + problem.message;
  }
  return text;
}

Result<std::shared_ptr<const Schema>> Schema::compile(std::string_view text) {
  if (auto json = check_json(text, {.bytes = kMaxSchema}); !json)
    return fail(Code::invalid_config, json.error().message());
  ArchiveBuffer error;
  carrel_schema* const made = carrel_schema_new(bytes_of(text), text.size(), error.get());
  if (made == nullptr) return fail(Code::invalid_config, std::string(error.view()));
  return std::shared_ptr<const Schema>(new Schema(made));
}

Schema::~Schema() { carrel_schema_free(schema_); }

std::vector<Problem> Schema::check(std::string_view document, const JsonLimits& limits) const {
  ArchiveBuffer found;
  if (document.size() <= limits.bytes &&
      carrel_schema_check(schema_, bytes_of(document), document.size(), limits.depth, found.get()))
    return {};
  if (auto json = check_json(document, limits); !json) return {{"", json.error().message()}};
  std::vector<Problem> problems;
  const auto list = nlohmann::json::parse(found.view(), nullptr, false);
  for (const auto& each : list) {
    problems.push_back({each.value("at", ""), each.value("message", "")});
  }
  if (problems.empty()) problems.push_back({"", "does not match the schema"});
  return problems;
}

std::vector<Problem> problems_in(std::string_view document, const JsonLimits& limits,
                                 const Schema* schema) {
  if (schema != nullptr) return schema->check(document, limits);
  if (auto json = check_json(document, limits); !json) return {{"", json.error().message()}};
  return {};
}

}  // namespace carrel::document
