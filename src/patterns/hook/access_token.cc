#include "patterns/hook/access_token.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/percent.h"
#include "document/json_text.h"
#include "net/whole_body.h"
#include "patterns/hook/endpoint_secret.h"

namespace carrel::hook {
namespace {

using async::Task;
using Json = nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::size_t kMostKept = 4096;
constexpr seconds kUsually{300};   // of a token that does not say how long it is good
constexpr seconds kLongest{3600};  // that one is used, whatever it says

bool is_token(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~+/=").contains(c);
  };
  return !text.empty() && text.size() <= kMostToken && std::ranges::all_of(text, plain);
}

bool is_bearer(std::string_view type) { return net::same_name(type, "bearer"); }

std::unexpected<Error> no_token(std::string_view why) {
  return fail(Code::egress_bad_response, fmt::format("the token server's answer {}", why));
}

Json parsed(std::string_view body) {
  return document::check_json(body, {.bytes = kMostTokenAnswer, .depth = 16})
             ? Json::parse(body, nullptr, false)
             : Json(Json::value_t::discarded);
}

std::string name_of(const TenantName& tenant, const app::OAuthClient& client) {
  return fmt::format("{}\n{}\n{}\n{}\n{}", tenant.str(), client.url.text(), client.id,
                     client.secret, client.scope);
}

// Not to its very end, as the request takes its time.
Nanos used_for(Nanos good_for) {
  return std::min<Nanos>(good_for - std::min<Nanos>(good_for / 10, seconds(30)), kLongest);
}

}  // namespace

Result<TokenAnswer> parse_token_answer(std::string_view body) {
  Json json = parsed(body);
  if (!json.is_object()) return no_token("is no JSON object");
  const auto token = json.find("access_token"), type = json.find("token_type");
  if (token == json.end() || !token->is_string()) return no_token("has no access_token");
  std::string& text = token->get_ref<std::string&>();
  TokenAnswer answer{.token = SecretBytes(text), .good_for = kUsually};
  wipe(text);
  if (!is_token(answer.token.view())) return no_token("has an access_token that is none");
  if (type == json.end() || !type->is_string() || !is_bearer(type->get_ref<std::string&>()))
    return no_token("has a token that is not of type Bearer");
  const auto time = json.find("expires_in");
  if (time == json.end() || time->is_null()) return answer;
  if (!time->is_number_unsigned()) return no_token("has no number of seconds in expires_in");
  const auto most = static_cast<std::uint64_t>(kLongest.count()) * 24;
  answer.good_for = seconds(std::min(time->get<std::uint64_t>(), most));
  return answer;
}

std::string token_error(std::string_view body) {
  const Json json = parsed(body);
  if (!json.is_object()) return {};
  const auto error = json.find("error");
  if (error == json.end() || !error->is_string()) return {};
  const auto& text = error->get_ref<const std::string&>();
  const bool plain = text.size() <= 64 && std::ranges::all_of(text, [](char c) {
                       return (c >= 'a' && c <= 'z') || c == '_';
                     });
  return plain ? text : std::string();
}

net::OutgoingRequest token_request(const app::OAuthClient& client, std::string_view secret) {
  std::string pair;
  std::string encoded = percent_encode(secret);
  pair.reserve(kNeverInline + client.id.size() * 3 + encoded.size());
  pair += percent_encode(client.id);
  pair += ':';
  pair += encoded;
  net::OutgoingRequest request{.method = "POST", .url = client.url};
  request.headers = {{"authorization", "Basic " + to_base64(pair)},
                     {"content-type", "application/x-www-form-urlencoded"},
                     {"accept", "application/json"}};
  request.body = "grant_type=client_credentials";
  if (!client.scope.empty()) request.body += "&scope=" + percent_encode(client.scope);
  wipe(encoded);
  wipe(pair);
  return request;
}

Task<Result<AccessTokens::Given>> AccessTokens::get(TenantName tenant, app::OAuthClient client,
                                                    Nanos longest) {
  std::string name = name_of(tenant, client);
  if (const auto found = kept_.find(name); found != kept_.end()) {
    if (clock_.now() < found->second.end)
      co_return Given{.token = SecretBytes(found->second.token.view()), .kept = true};
    kept_.erase(found);
  }
  CARREL_CO_TRY(const SecretBytes secret, co_await read_secret(services_, tenant, client.secret));
  net::CallLimits limits;
  limits.total = std::max(std::chrono::duration_cast<milliseconds>(longest), milliseconds(1));
  limits.connect = std::min(limits.connect, limits.total);
  limits.response_bytes = kMostTokenAnswer;
  auto request = token_request(client, without_line_end(secret.view()));
  auto response = co_await services_.client->send(tenant, std::move(request), limits);
  if (!response) co_return std::unexpected(std::move(response).error().within("the token server"));
  auto body = co_await net::read_whole(&(*response)->body(), kMostTokenAnswer);
  if (!body) co_return std::unexpected(std::move(body).error().within("the token server"));
  const int status = (*response)->head().status;
  if (status != 200) {
    const std::string why = token_error(*body);
    co_return no_token(fmt::format("was {}{}{}", status, why.empty() ? "" : ": ", why));
  }
  auto answer = parse_token_answer(*body);
  wipe(*body);
  if (!answer) co_return std::unexpected(std::move(answer).error());
  keep(std::move(name), *answer);
  co_return Given{.token = std::move(answer->token)};
}

void AccessTokens::keep(std::string name, const TokenAnswer& answer) {
  const Instant now = clock_.now();
  if (kept_.size() >= kMostKept)
    std::erase_if(kept_, [now](const auto& each) { return each.second.end <= now; });
  if (kept_.size() >= kMostKept) kept_.clear();
  kept_.insert_or_assign(std::move(name), Kept{.token = SecretBytes(answer.token.view()),
                                               .end = now + used_for(answer.good_for)});
}

void AccessTokens::drop(const TenantName& tenant, const app::OAuthClient& client,
                        std::string_view token) {
  const auto found = kept_.find(name_of(tenant, client));
  if (found != kept_.end() && found->second.token.view() == token) kept_.erase(found);
}

}  // namespace carrel::hook
