#include "patterns/hook/combine.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace carrel::hook {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxReason = 1000;  // bytes

std::vector<document::Problem> check_verdict(const Json& verdict) {
  if (!verdict.is_object()) return {{"", "is not a verdict, such as {\"allow\": true}"}};
  const auto allow = verdict.find("allow");
  if (allow == verdict.end()) return {{"", "\"allow\" is missing"}};
  if (!allow->is_boolean()) return {{"/allow", "is not true or false"}};
  const auto reason = verdict.find("reason");
  if (reason == verdict.end()) return {};
  if (!reason->is_string()) return {{"/reason", "is not a text"}};
  if (reason->get_ref<const std::string&>().size() > kMaxReason)
    return {{"/reason", "has more than 1000 bytes"}};
  return {};
}

}  // namespace

std::vector<document::Problem> Combination::check(std::string_view answer) const {
  if (how_ != Combine::any_deny) return {};
  return check_verdict(Json::parse(answer, nullptr, false));
}

std::optional<std::string> Combination::merged_input(std::string_view answer) const {
  if (how_ != Combine::merge) return {};
  Json document = Json::parse(input_, nullptr, false);
  document.merge_patch(Json::parse(answer, nullptr, false));
  return document.dump();
}

void Combination::accept(std::string_view binding, std::string answer) {
  answered_ = true;
  switch (how_) {
    case Combine::first:
      output_ = std::move(answer);
      return;
    case Combine::all:
      output_ += output_.empty() ? "[" : ",";
      output_ += answer;
      return;
    case Combine::chain:
      input_ = std::move(answer);
      return;
    case Combine::merge:
      input_ = *merged_input(answer);
      return;
    case Combine::any_deny: {
      const Json verdict = Json::parse(answer, nullptr, false);
      if (!check_verdict(verdict).empty()) {  // what is no verdict allows nothing
        denials_.push_back({std::string(binding), "its answer is not a verdict"});
      } else if (!verdict["allow"].get<bool>()) {
        denials_.push_back({std::string(binding), verdict.value("reason", "")});
      }
      return;
    }
  }
}

std::string Combination::take_output() {
  switch (how_) {
    case Combine::first:
      return answered_ ? std::move(output_) : "null";
    case Combine::all:
      return answered_ ? std::move(output_) + "]" : "[]";
    case Combine::chain:
    case Combine::merge:
      return std::move(input_);
    case Combine::any_deny:
      break;
  }
  Json verdict = {{"allow", denials_.empty()}};
  for (const Denial& denial : denials_) {
    verdict["denials"].push_back({{"binding", denial.binding}, {"reason", denial.reason}});
  }
  return verdict.dump();
}

}  // namespace carrel::hook
