#include "tenant/identities.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "async/event.h"
#include "base/files.h"

namespace carrel::tenant {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr auto kFresh = std::chrono::minutes(10);
constexpr auto kStale = std::chrono::hours(24);
constexpr auto kPause = std::chrono::seconds(10);      // between attempts
constexpr auto kShortPause = std::chrono::seconds(1);  // while there are no keys at all

bool has_value(const Json& claim, const std::string& value) {
  if (claim.is_string()) return claim.get<std::string>() == value;
  return claim.is_array() && std::ranges::any_of(claim, [&](const Json& each) {
           return each.is_string() && each.get<std::string>() == value;
         });
}

bool is_from(const Jwt& jwt, const std::string& issuer) {
  const auto found = jwt.claims.find("iss");
  return found != jwt.claims.end() && found->is_string() && found->get<std::string>() == issuer;
}

Task<Result<std::string>> read_all(async::ByteSource* body) {
  std::string text;
  std::array<std::byte, 16 << 10> piece;
  while (!body->finished()) {
    const std::size_t n = body->read(piece);
    text.append(reinterpret_cast<const char*>(piece.data()), n);
    if (text.size() > kMaxJwks) co_return fail(Code::egress_too_large, "the key set is over 1 MiB");
    if (n > 0 || body->finished()) continue;
    CARREL_CO_TRY_VOID(co_await body->wait());
  }
  co_return text;
}

}  // namespace

struct Identities::Keys {
  std::shared_ptr<const KeySet> set;
  Instant fetched;
  std::optional<Instant> tried;
  std::string problem;  // of the last attempt
  Task<void> fetching;  // one at a time, for all who wait
  std::vector<std::shared_ptr<async::Event>> waiting;

  bool busy() const { return fetching && !fetching.done(); }
  bool usable(Instant now) const { return set != nullptr && now - fetched < kStale; }
  bool has(const Jwt& jwt, Instant now) const { return usable(now) && set->knows(jwt); }
  bool due(const Jwt& jwt, Instant now) const {
    if (has(jwt, now) && now - fetched < kFresh) return false;
    return !tried || now - *tried >= (usable(now) ? kPause : kShortPause);
  }
};

Result<Principal> principal_of(const Identity& identity) {
  if (identity.subject.empty())
    return fail(Code::unauthenticated, "the JWT does not say whose it is: it has no \"sub\"");
  for (const AccessRule& rule : identity.issuer->access) {
    const auto claim = identity.claims.find(rule.claim);
    if (claim == identity.claims.end() || !has_value(*claim, rule.value)) continue;
    return Principal{
        .id = fmt::format("jwt:{}|{}", identity.issuer->expected.issuer, identity.subject),
        .scope = rule.scope,
        .verbs = rule.verbs,
        .expires = identity.expires};
  }
  return fail(Code::unauthenticated, "no rule of its issuer fits the JWT");
}

Identities::Identities(std::shared_ptr<const std::vector<Issuer>> issuers, net::Caller* client,
                       const Clock& clock)
    : issuers_(std::move(issuers)), client_(client), clock_(clock), keys_(issuers_->size()) {}
Identities::~Identities() = default;

// Of several that share a name, the one whose audience, algorithms and times it fits.
const Issuer* Identities::issuer_of(const Jwt& jwt, const std::optional<TenantName>& tenant) const {
  const Issuer* first = nullptr;
  for (const Issuer& each : *issuers_) {
    if (!is_from(jwt, each.expected.issuer) || (tenant && !contains(each.tenant, *tenant)))
      continue;
    if (check_claims(jwt, each.expected, clock_.wall())) return &each;
    if (first == nullptr) first = &each;
  }
  return first;
}

Task<Result<std::string>> Identities::fetch(const Issuer* issuer) {
  if (!issuer->url) co_return read_file(issuer->file, kMaxJwks);
  if (client_ == nullptr) co_return fail(Code::unavailable, "nothing can be fetched here");
  CARREL_CO_TRY(
      const auto response,
      co_await client_->send(
          kNode, {.url = *issuer->url, .headers = {{"accept", "application/json"}}, .body = {}},
          {.total = std::chrono::seconds(10), .response_bytes = kMaxJwks}));
  if (response->head().status != 200)
    co_return fail(
        Code::egress_bad_response,
        fmt::format("{} answered with status {}", issuer->url->text(), response->head().status));
  co_return co_await read_all(&response->body());
}

Task<void> Identities::refresh(std::size_t index) {
  const auto text = co_await fetch(&(*issuers_)[index]);
  auto set = text ? KeySet::parse(*text)
                  : Result<std::shared_ptr<const KeySet>>(std::unexpected(text.error()));
  if (set) {
    keys_[index].set = std::move(*set);
    keys_[index].fetched = clock_.now();
  } else {
    keys_[index].problem = set.error().message();
  }
  // Whoever is woken may ask again at once.
  while (!keys_[index].waiting.empty()) {
    const auto woken = std::exchange(keys_[index].waiting, {});
    for (const auto& each : woken) each->signal();
  }
}

Task<Result<std::shared_ptr<const KeySet>>> Identities::keys_for(std::size_t index,
                                                                 const Jwt* jwt) {
  const Instant now = clock_.now();
  if (!keys_[index].busy() && keys_[index].due(*jwt, now)) {
    keys_[index].tried = now;
    keys_[index].fetching = refresh(index);
    keys_[index].fetching.start();
  }
  // Who has the key need not wait for a newer set.
  if (keys_[index].busy() && !keys_[index].has(*jwt, now)) {
    const auto done = std::make_shared<async::Event>();
    keys_[index].waiting.push_back(done);
    co_await *done;
  }
  if (keys_[index].usable(now)) co_return keys_[index].set;
  co_return fail(Code::unavailable,
                 fmt::format("the keys of {} cannot be had: {}", (*issuers_)[index].expected.issuer,
                             keys_[index].problem));
}

Task<Result<std::optional<Identity>>> Identities::identify(std::string token,
                                                           std::optional<TenantName> tenant) {
  if (!looks_like_jwt(token)) co_return std::optional<Identity>();
  auto jwt = parse_jwt(token);
  // A damaged token of ours and a good one of another system look alike: neither names anybody.
  if (!jwt)
    co_return tenant ? Result<std::optional<Identity>>(std::optional<Identity>())
                     : Result<std::optional<Identity>>(std::unexpected(jwt.error()));
  const Issuer* const issuer = issuer_of(*jwt, tenant);
  if (issuer == nullptr) co_return std::optional<Identity>();
  CARREL_CO_TRY_VOID(check_claims(*jwt, issuer->expected, clock_.wall()));
  const auto index = static_cast<std::size_t>(issuer - issuers_->data());
  CARREL_CO_TRY(const auto keys, co_await keys_for(index, &*jwt));
  CARREL_CO_TRY_VOID(keys->verify(*jwt));
  Identity identity{
      .issuer = issuer, .claims = std::move(jwt->claims), .subject = {}, .expires = {}};
  const auto subject = identity.claims.find("sub");
  if (subject != identity.claims.end() && subject->is_string())
    identity.subject = subject->get<std::string>();
  // It becomes a variable, and a line of a log.
  const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  if (std::ranges::any_of(identity.subject, is_control))
    co_return fail(Code::unauthenticated, "the JWT's subject has control characters");
  const double most = 4e9;  // seconds: no later than a wall clock can tell
  identity.expires = WallTime(std::chrono::seconds(
      static_cast<std::int64_t>(std::min(identity.claims["exp"].get<double>(), most))));
  co_return std::optional(std::move(identity));
}

}  // namespace carrel::tenant
