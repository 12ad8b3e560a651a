#include "tenant/jwt.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/base64.h"

namespace carrel::tenant {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<std::string_view, Algorithm>, 3> kAlgorithms = {
    {{"RS256", Algorithm::rs256}, {"ES256", Algorithm::es256}, {"EdDSA", Algorithm::eddsa}}};
constexpr double kLeeway = 60;  // seconds

std::unexpected<Error> wrong(std::string_view what) {
  return fail(Code::unauthenticated, fmt::format("the JWT {}", what));
}

// Objects within objects cost stack: a token has no need of many.
std::optional<Json> parse_object(std::string_view text) {
  constexpr int kDeepest = 16;
  bool deep = false;
  const auto bounded = [&](int depth, Json::parse_event_t, const Json&) {
    deep |= depth > kDeepest;
    return !deep;
  };
  Json json = Json::parse(text, bounded, false);
  if (deep || !json.is_object()) return {};
  return json;
}

std::string text_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

// Nothing: absent. Errors: it is there and no time.
Result<std::optional<double>> time_in(const Json& claims, const char* key) {
  const auto found = claims.find(key);
  if (found == claims.end()) return std::optional<double>();
  if (!found->is_number()) return wrong(fmt::format("has an {} that is no time", key));
  return std::optional(found->get<double>());
}

bool is_for(const Json& claims, const std::vector<std::string>& audiences) {
  const auto found = claims.find("aud");
  if (found == claims.end()) return false;
  const auto is_ours = [&](const Json& each) {
    return each.is_string() && std::ranges::count(audiences, each.get<std::string>()) > 0;
  };
  return found->is_array() ? std::ranges::any_of(*found, is_ours) : is_ours(*found);
}

}  // namespace

std::optional<Algorithm> algorithm_of(std::string_view name) {
  for (const auto& [known, algorithm] : kAlgorithms) {
    if (known == name) return algorithm;
  }
  return {};
}

bool looks_like_jwt(std::string_view text) {
  return text.starts_with("eyJ") && std::ranges::count(text, '.') == 2;
}

Result<Jwt> parse_jwt(std::string_view text) {
  if (text.size() > kMaxJwt) return wrong("is too long");
  const auto first = text.find('.');
  const auto second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos) return wrong("has not three parts");
  const auto head = from_base64url(text.substr(0, first));
  const auto body = from_base64url(text.substr(first + 1, second - first - 1));
  auto signature = from_base64url(text.substr(second + 1));
  if (!head || !body || !signature) return wrong("is not base64url in three parts");
  const auto header = parse_object(*head);
  auto claims = parse_object(*body);
  if (!header || !claims) return wrong("holds no JSON objects");
  const auto algorithm = algorithm_of(text_in(*header, "alg"));
  if (!algorithm) return wrong("has an algorithm that is not RS256, ES256 or EdDSA");
  // An extension that must be understood, and an encrypted or unencoded payload, are not.
  if (header->contains("crit") || header->contains("b64") || header->contains("enc"))
    return wrong("has a header that is not understood");
  return Jwt{.algorithm = *algorithm,
             .kid = text_in(*header, "kid"),
             .claims = std::move(*claims),
             .signed_text = std::string(text.substr(0, second)),
             .signature = std::move(*signature)};
}

Result<void> check_claims(const Jwt& jwt, const Expected& expected, WallTime now) {
  if (text_in(jwt.claims, "iss") != expected.issuer) return wrong("is of another issuer");
  if (std::ranges::count(expected.algorithms, jwt.algorithm) == 0)
    return wrong("has an algorithm that its issuer is not configured for");
  if (!is_for(jwt.claims, expected.audiences)) return wrong("is for another audience");
  const double time = std::chrono::duration<double>(now.time_since_epoch()).count();
  CARREL_TRY(const auto expires, time_in(jwt.claims, "exp"));
  CARREL_TRY(const auto begins, time_in(jwt.claims, "nbf"));
  CARREL_TRY(const auto issued, time_in(jwt.claims, "iat"));
  if (!expires) return wrong("does not say when it expires");
  if (!(time < *expires + kLeeway)) return wrong("has expired");
  if (begins && !(time >= *begins - kLeeway)) return wrong("is not good yet");
  if (issued && !(time >= *issued - kLeeway)) return wrong("was issued in the future");
  return {};
}

}  // namespace carrel::tenant
