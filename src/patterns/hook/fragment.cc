#include "patterns/hook/fragment.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "document/html.h"
#include "patterns/hook/pointer.h"

namespace carrel::hook {
namespace {

using Json = nlohmann::json;
using document::Problem;

constexpr std::size_t kMostProblems = 8;

// What has been found and done so far. Cleaning takes time on the shard, so all fragments of an
// answer together are bounded as one is.
struct Cleaning {
  std::vector<Problem> problems;
  std::size_t bytes = 0, tags = 0;

  bool over() const { return problems.size() >= kMostProblems; }
};

void clean_text(Json& value, const std::string& at, Cleaning& work) {
  if (!value.is_string()) {
    work.problems.push_back({at, "is not a text with HTML"});
    return;
  }
  const auto& html = value.get_ref<const std::string&>();
  work.bytes += html.size();
  work.tags += static_cast<std::size_t>(std::ranges::count(html, '<'));
  if (work.bytes > document::kMaxHtml || work.tags > document::kMaxTags) {
    work.problems.push_back({at, "is too much HTML, with the fragments before it"});
    return;
  }
  auto safe = document::clean_html(html);
  if (safe) {
    value = std::move(*safe);
  } else {
    work.problems.push_back({at, safe.error().message()});
  }
}

// `rest`: what of the pointer is below `value`. No deeper than the pointer has parts. What is not
// there needs no cleaning; what is of another kind than the place says is refused.
void clean_at(Json& value, std::string_view rest, const std::string& at, Cleaning& work) {
  if (work.over()) return;
  if (rest.empty()) return clean_text(value, at, work);
  rest.remove_prefix(1);
  const auto end = std::min(rest.find('/'), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end);
  if (value.is_array() && part == "*") {
    for (std::size_t i = 0; i < value.size() && !work.over(); ++i)
      clean_at(value[i], rest, at + "/" + std::to_string(i), work);
    return;
  }
  if (value.is_array()) {
    const auto index = pointer_index(part);
    if (!index) {
      work.problems.push_back({at, "is an array, which the place with HTML does not say"});
    } else if (*index < value.size()) {
      clean_at(value[*index], rest, at + "/" + std::string(part), work);
    }
    return;
  }
  if (value.is_null()) return;
  if (!value.is_object() || part == "*") {
    work.problems.push_back({at, "is not what holds the place with HTML"});
    return;
  }
  const auto found = value.find(pointer_name(part));
  if (found != value.end()) clean_at(*found, rest, at + "/" + std::string(part), work);
}

}  // namespace

std::vector<Problem> clean_fragments(const std::vector<std::string>& places, std::string& answer) {
  Cleaning work;
  Json json = Json::parse(answer, nullptr, false);
  for (const std::string& place : places) clean_at(json, place, "", work);
  if (work.problems.empty()) answer = json.dump();
  return std::move(work.problems);
}

}  // namespace carrel::hook
