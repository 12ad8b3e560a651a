#include "app/hooks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "app/grants_reader.h"
#include "app/manifest.h"
#include "app/units.h"
#include "document/json_text.h"
#include "tenant/path.h"

namespace carrel::app {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::pair<Combine, std::string_view>, 5> kCombines = {{
    {Combine::first, "first"},
    {Combine::all, "all"},
    {Combine::chain, "chain"},
    {Combine::merge, "merge"},
    {Combine::any_deny, "any-deny"},
}};

constexpr std::array<std::pair<PointKind, std::string_view>, 2> kKinds = {
    {{PointKind::call, "call"}, {PointKind::event, "event"}}};
constexpr std::array<std::pair<EventFormat, std::string_view>, 3> kFormats = {
    {{EventFormat::standard, "standard"},
     {EventFormat::binary, "cloudevents-binary"},
     {EventFormat::structured, "cloudevents-structured"}}};

// A list of words that a key may have, and which it has.
template <typename T, std::size_t N>
std::optional<T> read_word(TableReader& table, std::string_view key,
                           const std::array<std::pair<T, std::string_view>, N>& words) {
  const auto text = table.text(key);
  if (!text) return {};
  std::vector<std::string_view> known;
  for (const auto& [value, word] : words) {
    if (word == *text) return value;
    known.push_back(word);
  }
  table.problem(key, fmt::format("`{}` of {} cannot be {}{}", key, table.where(), in_quotes(*text),
                                 suggestion(*text, known)));
  return {};
}

// The default is a module's answer as well, so it keeps to the same rules.
void read_failure(TableReader& table, HookPoint& point) {
  static constexpr std::array<std::pair<OnFailure, std::string_view>, 3> kWords = {
      {{OnFailure::skip, "skip"}, {OnFailure::fail, "fail"}, {OnFailure::use_default, "default"}}};
  if (const auto word = read_word(table, "on_failure", kWords)) point.on_failure = *word;
  const auto answer = table.text("default");
  if (point.on_failure != OnFailure::use_default) {
    if (answer) table.problem("default", "`default` is used with on_failure = \"default\" only");
    return;
  }
  if (point.combine == Combine::chain || point.combine == Combine::merge) {
    table.problem("on_failure", fmt::format("a point that combines by \"{}\" goes on with what it "
                                            "has; write on_failure = \"skip\"",
                                            combine_name(point.combine)));
    return;
  }
  if (!answer) {
    table.problem("on_failure",
                  "on_failure = \"default\" needs the answer: default = '{\"discount\": 0}'");
    return;
  }
  point.default_answer = *answer;
  if (auto json = document::check_json(*answer, {}); !json) {
    table.problem("default", "`default`: " + json.error().message());
  } else if (point.output) {
    const auto problems = point.output->check(*answer);
    if (!problems.empty())
      table.problem("default", "`default` is not what `output` says: " + text_of(problems));
  }
}

// JSON pointers, in which "*" is each element of an array.
std::vector<std::string> read_places(TableReader& table, std::string_view key,
                                     std::string_view such_as) {
  constexpr std::size_t kMostPlaces = 16;
  auto places = table.texts(key, 256);
  if (places.size() > kMostPlaces)
    table.problem(key, fmt::format("`{}` names at most {} places", key, kMostPlaces));
  for (const std::string& place : places) {
    if (place.empty() || place.starts_with('/')) continue;
    table.problem(key, fmt::format("{} is no place in a document; write a JSON pointer such as {}",
                                   in_quotes(place), such_as));
  }
  return places;
}

void read_record(TableReader& table, HookPoint& point) {
  static constexpr std::array<std::pair<Record, std::string_view>, 3> kWords = {
      {{Record::none, "none"}, {Record::failures, "failures"}, {Record::all, "all"}}};
  if (const auto word = read_word(table, "record", kWords)) point.record = *word;
  point.hidden = read_places(table, "private", "\"/customer\" or \"/lines/*/note\"");
}

std::vector<std::string> read_functions(TableReader& table) {
  constexpr std::size_t kMostFunctions = 64;
  auto names = table.texts("functions", 64);
  if (names.size() > kMostFunctions)
    table.problem("functions", fmt::format("`functions` names at most {}", kMostFunctions));
  for (const std::string& name : names) check_function_name(table, "functions", name);
  return names;
}

Customers read_customers(TableReader& table) {
  Customers customers;
  for (const std::string& word : table.texts("customers", 16)) {
    if (word == "modules") {
      customers.modules = true;
    } else if (word == "endpoints") {
      customers.endpoints = true;
    } else {
      table.problem("customers", fmt::format("`customers` says what they may bind: \"modules\", "
                                             "\"endpoints\" or both, not {}",
                                             in_quotes(word)));
    }
  }
  return customers;
}

// What becomes of a call's answers.
void read_answers(TableReader& table, HookPoint& point, const Manifest& manifest) {
  if (!table.has("combine")) {
    table.problem("point", "[[hook]] needs `combine`: first, all, chain, merge or any-deny");
  }
  if (const auto combine = read_word(table, "combine", kCombines)) point.combine = *combine;
  point.output = read_schema(table, "output", manifest.folder, point.files);
  read_failure(table, point);
  point.html = read_places(table, "html", "\"/html\" or \"/cards/*/html\"");
  point.functions = read_functions(table);
  table.refuse("retry", "a call is not tried again; it is of kind = \"event\" points");
}

void read_retry(TableReader& table, HookPoint& point) {
  if (!table.has("retry")) return;
  point.retry.emplace();
  for (const std::string& text : table.texts("retry", 64)) {
    const auto wait = parse_duration(text);
    if (!wait || *wait < 1ms || *wait > 24h * 7) {
      table.problem("retry", fmt::format("{} is no time to wait; write one of 1ms to 168h, such as "
                                         "\"30s\"",
                                         in_quotes(text)));
      return;
    }
    point.retry->push_back(*wait);
  }
  if (point.retry->size() > kMaxRetries)
    table.problem("retry", fmt::format("a delivery is tried again {} times at most", kMaxRetries));
}

void check_name(TableReader& table, const HookPoint& point, const HookBinding& binding) {
  if (!is_name(binding.name))
    table.problem("name",
                  fmt::format("{} is no name; write {}", in_quotes(binding.name), kNameRule));
  if (std::ranges::find(point.bindings, binding.name, &HookBinding::name) != point.bindings.end()) {
    table.problem("name", fmt::format("{} is bound to the point already; give this one another "
                                      "`name`",
                                      in_quotes(binding.name)));
  }
  if (binding.tenant.empty()) return;
  if (const auto name = tenant::parse_tenant(binding.tenant); !name)
    table.problem("tenant", "`tenant`: " + name.error().message());
}

void check_binding(TableReader& table, const HookPoint& point, const HookBinding& binding,
                   const Module& module) {
  check_name(table, point, binding);
  if (binding.tenant.empty()) return;
  if (!turn::within(module.grants, point.grants)) {
    table.problem("module",
                  fmt::format("the module {} has grants that the point does not give to other "
                              "tenants; add them to `grants` of the point",
                              in_quotes(module.name.str())));
  }
}

std::optional<OAuthClient> read_oauth(TableReader& outer, Problems& problems) {
  const TomlValue* const value = outer.table("oauth");
  if (value == nullptr) return {};
  TableReader table(*value, "`oauth`", problems);
  OAuthClient client;
  if (auto url = read_private_url(table, "url")) client.url = std::move(*url);
  client.id = table.required_text("client_id", 256).value_or("");
  client.secret = read_secret_name(table, "client_secret");
  client.scope = table.text("scope", 1024).value_or("");
  table.finish();
  if (!is_scope(client.scope))
    table.problem("scope", "`scope` is words with spaces between, without quotes");
  return client;
}

std::optional<HookEndpoint> read_endpoint(TableReader& table, const HookPoint& point,
                                          Problems& problems) {
  HookEndpoint endpoint;
  if (auto url = read_private_url(table, "endpoint")) endpoint.url = std::move(*url);
  endpoint.oauth = read_oauth(table, problems);
  const auto secret = table.text("secret");
  if (!secret) {
    table.problem("endpoint",
                  "an endpoint needs `secret`, the name of a secret of its tenant that holds the "
                  "keys its requests are signed with: secret = \"CRM_KEY\"");
  } else if (!is_variable(*secret)) {
    table.problem("secret", fmt::format("{} is no name of a secret", in_quotes(*secret)));
  } else {
    endpoint.secret = *secret;
  }
  if (point.kind == PointKind::event) {
    if (const auto format = read_word(table, "format", kFormats)) endpoint.format = *format;
    if (const auto time = table.duration("disable_after", {1s, 24h * 90}))
      endpoint.disable_after = *time;
  } else {
    table.refuse("format", "`format` is of endpoints at points of kind = \"event\"");
    table.refuse("disable_after", "`disable_after` is of endpoints at points of kind = \"event\"");
  }
  return endpoint;
}

std::optional<HookBinding> read_endpoint_binding(TableReader& table, const HookPoint& point,
                                                 Problems& problems) {
  HookBinding binding{
      .name = table.required_text("name").value_or(""),
      .order = static_cast<int>(table.integer("order", {-1'000'000, 1'000'000}).value_or(0)),
      .tenant = table.text("tenant").value_or(""),
      .endpoint = read_endpoint(table, point, problems)};
  table.finish();
  check_name(table, point, binding);
  return binding;
}

std::optional<HookBinding> read_binding(const TomlValue& value, const HookPoint& point,
                                        const Manifest& manifest,
                                        std::span<const std::string_view> modules,
                                        Problems& problems) {
  TableReader table(value, "[[hook.bind]]", problems);
  if (table.has("endpoint") && !table.has("module"))
    return read_endpoint_binding(table, point, problems);
  const auto name = table.required_text("module");
  table.refuse("endpoint", "a binding has `module` or `endpoint`, not both");
  HookBinding binding{
      .name = table.text("name").value_or(name.value_or("")),
      .order = static_cast<int>(table.integer("order", {-1'000'000, 1'000'000}).value_or(0)),
      .tenant = table.text("tenant").value_or(""),
      .config = read_environment(table, "config")};
  table.finish();
  if (!name) return {};
  const Module* module = manifest.module(*name);
  if (module == nullptr) {
    // A module that is there but faulty has had its own problems reported.
    if (std::ranges::find(modules, *name) == modules.end()) {
      table.problem("module", fmt::format("there is no module {}{}", in_quotes(*name),
                                          suggestion(*name, modules)));
    }
    return {};
  }
  binding.module = static_cast<std::size_t>(module - manifest.modules.data());
  check_binding(table, point, binding, *module);
  return binding;
}

}  // namespace

std::string_view combine_name(Combine combine) {
  return std::ranges::find(kCombines, combine, &decltype(kCombines)::value_type::first)->second;
}

std::optional<Combine> parse_combine(std::string_view name) {
  const auto* const found =
      std::ranges::find(kCombines, name, &decltype(kCombines)::value_type::second);
  return found == kCombines.end() ? std::nullopt : std::optional(found->first);
}

std::string_view kind_name(PointKind kind) {
  return std::ranges::find(kKinds, kind, &decltype(kKinds)::value_type::first)->second;
}

std::string_view format_name(EventFormat format) {
  return std::ranges::find(kFormats, format, &decltype(kFormats)::value_type::first)->second;
}

std::optional<EventFormat> parse_format(std::string_view name) {
  const auto* const found =
      std::ranges::find(kFormats, name, &decltype(kFormats)::value_type::second);
  return found == kFormats.end() ? std::nullopt : std::optional(found->first);
}

bool is_scope(std::string_view text) {
  return std::ranges::all_of(text,
                             [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

HookPoint read_hook(const TomlValue& value, const Manifest& manifest,
                    std::span<const std::string_view> modules, Problems& problems) {
  TableReader table(value, "[[hook]]", problems);
  HookPoint point;
  if (const auto name = table.required_text("point")) {
    if (!is_point_name(*name)) {
      table.problem("point", fmt::format("{} is no name of a point; write 1 to 64 of a-z, 0-9, -, "
                                         "_ and ., such as \"cart.discounts\"",
                                         in_quotes(*name)));
    }
    point.name = *name;
  }
  if (const auto kind = read_word(table, "kind", kKinds)) point.kind = *kind;
  if (const auto deadline = table.duration("deadline", {1ms, 1min})) {
    point.deadline = *deadline;
  } else if (point.kind == PointKind::event) {
    point.deadline = 15s;
  }
  point.input = read_schema(table, "input", manifest.folder, point.files);
  if (point.kind == PointKind::event) {
    read_retry(table, point);
    for (const std::string_view key :
         {"combine", "output", "on_failure", "default", "html", "functions"})
      table.refuse(key, "of an event nobody waits for an answer");
  } else {
    read_answers(table, point, manifest);
  }
  point.grants = read_grants(table);
  point.customers = read_customers(table);
  read_record(table, point);
  const auto bindings = table.tables("bind");
  if (bindings.size() > kMaxBindings) {
    table.problem("bind", fmt::format("a point has at most {} modules", kMaxBindings));
  }
  for (const TomlValue* each : bindings) {
    auto binding = read_binding(*each, point, manifest, modules, problems);
    if (!binding) continue;
    const auto place =
        std::ranges::upper_bound(point.bindings, binding->order, {}, &HookBinding::order);
    point.bindings.insert(place, std::move(*binding));
  }
  table.finish();
  return point;
}

}  // namespace carrel::app
