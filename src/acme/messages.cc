#include "acme/messages.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace carrel::acme {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostText = 300;  // of what is shown to people
constexpr std::size_t kMostToken = 128;
constexpr std::size_t kMostAuthorizations = 8;  // we ask for one name

std::unexpected<Error> wrong(std::string_view why) {
  return fail(Code::egress_bad_response, fmt::format("the ACME server {}", why));
}

Result<Json> read_object(std::string_view text) {
  if (text.size() > kMostMessage) return wrong("sent too long a message");
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return wrong("sent what is no JSON object");
  return json;
}

std::string text_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<net::Url> url_of(const std::string& text, const net::Url& from) {
  auto url = net::parse_url(text);
  if (!url) return wrong("named something that is no URL");
  if (from.scheme == "https" && url->scheme != "https") return wrong("named a URL without TLS");
  return url;
}

Result<std::optional<net::Url>> url_in(const Json& json, const char* key, const net::Url& from) {
  const std::string text = text_in(json, key);
  if (text.empty()) return std::optional<net::Url>();
  CARREL_TRY(auto url, url_of(text, from));
  return std::optional(std::move(url));
}

Result<State> state_of(const Json& json) {
  const std::string text = text_in(json, "status");
  if (text == "pending") return State::pending;
  if (text == "ready") return State::ready;
  if (text == "processing") return State::processing;
  if (text == "valid") return State::valid;
  for (const char* each : {"invalid", "deactivated", "expired", "revoked"}) {
    if (text == each) return State::invalid;
  }
  return wrong("sent an unknown status");
}

// Into a line of a log: nothing that is not printable ASCII.
std::string shown(std::string text) {
  if (text.size() > kMostText) text.resize(kMostText);
  std::ranges::replace_if(text, [](char c) { return c < ' ' || c > '~'; }, '?');
  return text;
}

Problem problem_of(const Json& json) {
  constexpr std::string_view kBegin = "urn:ietf:params:acme:error:";
  if (!json.is_object()) return {};
  std::string type = text_in(json, "type");
  if (type.starts_with(kBegin)) type.erase(0, kBegin.size());
  Problem problem{.type = shown(std::move(type)), .text = shown(text_in(json, "detail"))};
  if (!problem.type.empty()) problem.text = fmt::format("{}: {}", problem.type, problem.text);
  return problem;
}

std::string problem_in(const Json& json) {
  const auto error = json.find("error");
  return error == json.end() ? std::string() : problem_of(*error).text;
}

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= kMostToken && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

}  // namespace

Result<Directory> read_directory(std::string_view text, const net::Url& from) {
  CARREL_TRY(const Json json, read_object(text));
  Directory directory;
  CARREL_TRY(directory.new_nonce, url_of(text_in(json, "newNonce"), from));
  CARREL_TRY(directory.new_account, url_of(text_in(json, "newAccount"), from));
  CARREL_TRY(directory.new_order, url_of(text_in(json, "newOrder"), from));
  if (const auto meta = json.find("meta"); meta != json.end() && meta->is_object()) {
    directory.terms = shown(text_in(*meta, "termsOfService"));
    const auto external = meta->find("externalAccountRequired");
    if (external != meta->end() && *external == true)
      return fail(Code::unsupported,
                  "the ACME server wants an account of its own bound to ours, which is not built");
  }
  return directory;
}

Result<Order> read_order(std::string_view text, const net::Url& from) {
  CARREL_TRY(const Json json, read_object(text));
  Order order;
  CARREL_TRY(order.state, state_of(json));
  CARREL_TRY(order.finalize, url_in(json, "finalize", from));
  CARREL_TRY(order.certificate, url_in(json, "certificate", from));
  order.problem = problem_in(json);
  const auto all = json.find("authorizations");
  if (all == json.end() || !all->is_array() || all->empty() || all->size() > kMostAuthorizations)
    return wrong("sent an order without authorizations");
  for (const Json& each : *all) {
    if (!each.is_string()) return wrong("named something that is no URL");
    CARREL_TRY(auto url, url_of(each.get<std::string>(), from));
    order.authorizations.push_back(std::move(url));
  }
  return order;
}

Result<Authorization> read_authorization(std::string_view text, const net::Url& from) {
  CARREL_TRY(const Json json, read_object(text));
  Authorization authorization;
  CARREL_TRY(authorization.state, state_of(json));
  const auto all = json.find("challenges");
  if (all == json.end() || !all->is_array()) return wrong("sent no challenges");
  for (const Json& each : *all) {
    if (!each.is_object() || text_in(each, "type") != "http-01") continue;
    authorization.problem = problem_in(each);
    authorization.token = text_in(each, "token");
    if (!is_token(authorization.token)) return wrong("sent a challenge with a bad token");
    CARREL_TRY(authorization.challenge, url_in(each, "url", from));
  }
  return authorization;
}

Problem read_problem(std::string_view text) {
  if (text.size() > kMostMessage) return {};
  return problem_of(Json::parse(text, nullptr, false));
}

}  // namespace carrel::acme
