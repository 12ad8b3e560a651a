// What a session says to token services, and what it makes of registries that refuse.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/oci/session.h"
#include "base/base64.h"
#include "base/percent.h"
#include "observe/json_line.h"

namespace carrel::oci {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t kMostAnswer = 1 << 20, kMostWords = 64 << 10;
constexpr std::size_t kMostToken = 32 << 10, kMostShown = 300;

std::string text_at(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= kMostToken &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

// The first of the errors in a registry's answer: "MANIFEST_UNKNOWN: manifest unknown".
std::string words_of(const std::string& body) {
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object()) return {};
  const auto errors = json.find("errors");
  if (errors == json.end() || !errors->is_array() || errors->empty()) return {};
  const std::string code = text_at(errors->front(), "code");
  const std::string message = text_at(errors->front(), "message");
  const std::string both = fmt::format("{}{}{}", code, message.empty() ? "" : ": ", message);
  return observe::printable(std::string_view(both).substr(0, kMostShown));
}

Code code_of(int status) {
  switch (status) {
    case 403:
      return Code::permission_denied;
    case 404:
      return Code::not_found;
    case 429:
      return Code::too_many_requests;
    default:
      return Code::registry_failed;
  }
}

}  // namespace

Error Session::unauthenticated() const {
  const std::string& registry = reference_.registry;
  if (options_.login) {
    return Error(Code::unauthenticated,
                 fmt::format("{} does not take the login that is configured for it", registry),
                 fmt::format("log in again: docker login {}", registry));
  }
  if (options_.helper) {
    return Error(
        Code::unauthenticated,
        fmt::format("{} wants a login, which the program docker-credential-{} keeps; this build "
                    "does not ask it",
                    registry, observe::printable(*options_.helper)),
        "name a file that has the login itself with --registry-config FILE");
  }
  return Error(Code::unauthenticated, fmt::format("{} wants a login", registry),
               fmt::format("docker login {}, or name a file with the login with "
                           "--registry-config FILE",
                           registry));
}

Result<net::OutgoingRequest> Session::token_request(const Challenge& challenge) const {
  auto realm = net::parse_url(challenge.parameter("realm"));
  if (!realm) {
    return std::unexpected(
        std::move(realm).error().within(reference_.registry + "'s token service"));
  }
  if (base_.scheme == "https" && realm->scheme != "https") {
    return fail(Code::registry_failed,
                fmt::format("{}'s token service is not https", reference_.registry));
  }
  std::string scope(challenge.parameter("scope"));
  if (scope.empty() || scope.starts_with("repository:")) {
    scope = fmt::format("repository:{}:{}", reference_.repository,
                        options_.access == Access::push ? "pull,push" : "pull");
  }
  std::string query = fmt::format(
      "service={}&scope={}", percent_encode(challenge.parameter("service")), percent_encode(scope));
  const Login login = options_.login.value_or(Login());
  if (!login.identity_token.empty()) {
    query += "&grant_type=refresh_token&client_id=carrel&refresh_token=" +
             percent_encode(login.identity_token);
    return net::OutgoingRequest{.method = "POST",
                                .url = std::move(*realm),
                                .headers = {{"content-type", "application/x-www-form-urlencoded"}},
                                .body = std::move(query)};
  }
  net::OutgoingRequest request{.url = std::move(*realm)};
  request.url.target += (request.url.target.contains('?') ? "&" : "?") + query;
  if (!login.user.empty()) {
    request.headers.emplace_back("authorization",
                                 "Basic " + to_base64(login.user + ":" + login.password));
  }
  return request;
}

async::Task<Result<void>> Session::fetch_token(Challenge challenge) {
  CARREL_CO_TRY(net::OutgoingRequest request, token_request(challenge));
  const std::string service = request.url.authority();
  CARREL_CO_TRY(const Response response, co_await once(std::move(request), kMostAnswer));
  const int status = response->head().status;
  if (status == 401 || status == 403) co_return std::unexpected(unauthenticated());
  if (status != 200) {
    co_return fail(Code::registry_failed,
                   fmt::format("the token service {} answered with status {}", service, status));
  }
  CARREL_CO_TRY(const std::string body, co_await read(response.get()));
  const Json json = Json::parse(body, nullptr, false);
  std::string token = text_at(json, "token");
  if (token.empty()) token = text_at(json, "access_token");
  if (!is_token(token)) {
    co_return fail(Code::registry_failed, fmt::format("the token service {} gave none", service));
  }
  authorization_ = "Bearer " + token;
  co_return Result<void>();
}

async::Task<Error> Session::refusal(Response response) {
  const int status = response->head().status;
  std::string words;
  if (const auto body = co_await read(response.get()); body && body->size() <= kMostWords) {
    words = words_of(*body);
  }
  co_return Error(code_of(status),
                  fmt::format("{} answered for {} with status {}{}{}", reference_.registry,
                              reference_.repository, status, words.empty() ? "" : ": ", words));
}

}  // namespace carrel::oci
