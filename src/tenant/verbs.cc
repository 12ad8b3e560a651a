#include "tenant/verbs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

namespace carrel::tenant {
namespace {

constexpr std::array<std::pair<Verb, std::string_view>, 11> kVerbs = {{
    {Verb::read, "read"},
    {Verb::data_read, "data-read"},
    {Verb::data_write, "data-write"},
    {Verb::secrets, "secrets"},
    {Verb::deploy, "deploy"},
    {Verb::invoke, "invoke"},
    {Verb::logs, "logs"},
    {Verb::audit, "audit"},
    {Verb::tokens, "tokens"},
    {Verb::tenants, "tenants"},
    {Verb::operate, "operate"},
}};

}  // namespace

std::string_view verb_name(Verb verb) {
  for (const auto& [known, name] : kVerbs) {
    if (known == verb) return name;
  }
  return "";
}

VerbSet VerbSet::all() {
  VerbSet set;
  for (const auto& [verb, name] : kVerbs) set.add({verb});
  return set;
}

std::vector<std::string_view> VerbSet::names() const {
  std::vector<std::string_view> names;
  for (const auto& [verb, name] : kVerbs) {
    if (has(verb)) names.push_back(name);
  }
  return names;
}

Result<Verb> parse_verb(std::string_view name) {
  for (const auto& [verb, known] : kVerbs) {
    if (known == name) return verb;
  }
  return fail(Code::invalid_argument, fmt::format("there is no verb of that name; there are {}",
                                                  fmt::join(VerbSet::all().names(), ", ")));
}

}  // namespace carrel::tenant
