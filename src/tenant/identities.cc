#include "tenant/identities.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "async/event.h"
#include "base/files.h"
#include "net/whole_body.h"

namespace carrel::tenant {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr auto kFresh = std::chrono::minutes(10);
constexpr auto kStale = std::chrono::hours(24);
constexpr auto kPause = std::chrono::seconds(10);      // between attempts
constexpr auto kShortPause = std::chrono::seconds(1);  // while there are no keys at all

constexpr std::size_t kMaxDiscovery = 64 << 10;

std::string text_of(const std::optional<net::Url>& url) { return url ? url->text() : ""; }

// Where the keys of both come from.
bool same_keys(const Issuer& one, const Issuer& other) {
  return one.expected.issuer == other.expected.issuer && one.file == other.file &&
         text_of(one.url) == text_of(other.url) &&
         text_of(one.discovery) == text_of(other.discovery);
}

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

// Whoever reads in it holds it, and so does the Identities until nobody does.
struct Identities::Book {
  std::shared_ptr<const std::vector<Issuer>> issuers;
  std::vector<Keys> keys;  // as issuers

  bool busy() const { return std::ranges::any_of(keys, &Keys::busy); }
};

bool may_have_keys(const net::Url& url) { return url.scheme == "https" || net::is_loopback(url); }

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
    : client_(client), clock_(clock), book_(std::make_shared<Book>()) {
  book_->keys.resize(issuers->size());
  book_->issuers = std::move(issuers);
}
Identities::~Identities() = default;

void Identities::use(std::shared_ptr<const std::vector<Issuer>> issuers) {
  auto book = std::make_shared<Book>();
  book->keys.resize(issuers->size());
  for (std::size_t i = 0; i < issuers->size(); ++i) {
    const auto& before = *book_->issuers;
    const auto same = std::ranges::find_if(
        before, [&](const Issuer& each) { return same_keys(each, (*issuers)[i]); });
    if (same == before.end()) continue;
    const Keys& keys = book_->keys[static_cast<std::size_t>(same - before.begin())];
    book->keys[i].set = keys.set;
    book->keys[i].fetched = keys.fetched;
  }
  book->issuers = std::move(issuers);
  before_.push_back(std::exchange(book_, std::move(book)));
  std::erase_if(before_, [](const auto& old) { return old.use_count() == 1 && !old->busy(); });
}

// Of several that share a name, the one whose audience, algorithms and times it fits.
const Issuer* Identities::issuer_of(const Book& book, const Jwt& jwt,
                                    const std::optional<TenantName>& tenant) const {
  const Issuer* first = nullptr;
  for (const Issuer& each : *book.issuers) {
    if (!is_from(jwt, each.expected.issuer) || (tenant && !contains(each.tenant, *tenant)))
      continue;
    if (check_claims(jwt, each.expected, clock_.wall())) return &each;
    if (first == nullptr) first = &each;
  }
  return first;
}

Task<Result<std::string>> Identities::fetch(const Issuer* issuer) {
  if (issuer->url) co_return co_await fetch_from(*issuer->url);
  if (!issuer->discovery) co_return read_file(issuer->file, kMaxJwks);
  CARREL_CO_TRY(net::Url url, co_await discover(issuer));
  co_return co_await fetch_from(std::move(url));
}

// What it says counts only if it says so for this very issuer: whoever can publish below the same
// host would otherwise speak for it.
Task<Result<net::Url>> Identities::discover(const Issuer* issuer) {
  CARREL_CO_TRY(const std::string text, co_await fetch_from(*issuer->discovery));
  const Json json = text.size() <= kMaxDiscovery ? Json::parse(text, nullptr, false) : Json();
  const auto wrong = [&](std::string_view what) {
    return fail(Code::egress_bad_response, fmt::format("{} {}", issuer->discovery->text(), what));
  };
  if (!json.is_object()) co_return wrong("is no configuration of an issuer");
  const auto text_in = [&](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (text_in("issuer") != issuer->expected.issuer) co_return wrong("is of another issuer");
  auto url = net::parse_url(text_in("jwks_uri"));
  if (!url) co_return wrong("names no keys: its jwks_uri is no URL");
  // One that is not this machine's names none of this machine.
  if (!may_have_keys(*url) || (url->scheme != "https" && !net::is_loopback(*issuer->discovery)))
    co_return wrong("names keys that would come without https");
  co_return std::move(*url);
}

Task<Result<std::string>> Identities::fetch_from(net::Url url) {
  if (client_ == nullptr) co_return fail(Code::unavailable, "nothing can be fetched here");
  CARREL_CO_TRY(const auto response,
                co_await client_->send(
                    kNode, {.url = url, .headers = {{"accept", "application/json"}}, .body = {}},
                    {.total = std::chrono::seconds(10), .response_bytes = kMaxJwks}));
  if (response->head().status != 200)
    co_return fail(Code::egress_bad_response,
                   fmt::format("{} answered with status {}", url.text(), response->head().status));
  co_return co_await net::read_whole(&response->body(), kMaxJwks,
                                     Error(Code::egress_too_large, "the key set is over 1 MiB"));
}

Task<void> Identities::refresh(Book* book, std::size_t index) {
  const auto text = co_await fetch(&(*book->issuers)[index]);
  Keys& keys = book->keys[index];
  auto set = text ? KeySet::parse(*text)
                  : Result<std::shared_ptr<const KeySet>>(std::unexpected(text.error()));
  if (set) {
    keys.set = std::move(*set);
    keys.fetched = clock_.now();
  } else {
    keys.problem = set.error().message();
  }
  // Whoever is woken may ask again at once.
  while (!keys.waiting.empty()) {
    const auto woken = std::exchange(keys.waiting, {});
    for (const auto& each : woken) each->signal();
  }
}

Task<Result<std::shared_ptr<const KeySet>>> Identities::keys_for(std::shared_ptr<Book> book,
                                                                 std::size_t index,
                                                                 const Jwt* jwt) {
  const Instant now = clock_.now();
  Keys& keys = book->keys[index];
  if (!keys.busy() && keys.due(*jwt, now)) {
    keys.tried = now;
    keys.fetching = refresh(book.get(), index);
    keys.fetching.start();
  }
  // Who has the key need not wait for a newer set.
  if (keys.busy() && !keys.has(*jwt, now)) {
    const auto done = std::make_shared<async::Event>();
    keys.waiting.push_back(done);
    co_await *done;
  }
  if (keys.usable(now)) co_return keys.set;
  co_return fail(Code::unavailable,
                 fmt::format("the keys of {} cannot be had: {}",
                             (*book->issuers)[index].expected.issuer, keys.problem));
}

Task<Result<std::optional<Identity>>> Identities::identify(std::string token,
                                                           std::optional<TenantName> tenant) {
  if (book_->issuers->empty() || !looks_like_jwt(token)) co_return std::optional<Identity>();
  auto jwt = parse_jwt(token);
  // A damaged token of ours and a good one of another system look alike: neither names anybody.
  if (!jwt)
    co_return tenant ? Result<std::optional<Identity>>(std::optional<Identity>())
                     : Result<std::optional<Identity>>(std::unexpected(jwt.error()));
  const auto book = book_;
  const Issuer* const issuer = issuer_of(*book, *jwt, tenant);
  if (issuer == nullptr) co_return std::optional<Identity>();
  CARREL_CO_TRY_VOID(check_claims(*jwt, issuer->expected, clock_.wall()));
  const auto index = static_cast<std::size_t>(issuer - book->issuers->data());
  CARREL_CO_TRY(const auto keys, co_await keys_for(book, index, &*jwt));
  CARREL_CO_TRY_VOID(keys->verify(*jwt));
  Identity identity{.issuer = {book->issuers, issuer},
                    .claims = std::move(jwt->claims),
                    .subject = {},
                    .expires = {}};
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
