#include "tenant/token.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <span>

#include "base/digest.h"
#include "base/hex.h"
#include "store/record.h"
#include "tenant/tenant.h"

namespace carrel::tenant {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr std::string_view kBegin = "carrel_";
constexpr std::size_t kIdBytes = kTokenIdDigits / 2, kSecretBytes = 32;
const store::Place kById{.kind = store::Kind::token, .store = "id"};
const store::Place kByTenant{.kind = store::Kind::token, .store = "tenant"};

std::string name_of(const TenantName& scope, std::string_view id) {
  return fmt::format("{}:{}", scope.str(), id);
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// "carrel_ID_SECRET"; nothing: it is no token of ours.
struct Presented {
  std::string_view id, secret;
};
std::optional<Presented> parse(std::string_view text) {
  if (!text.starts_with(kBegin)) return {};
  text.remove_prefix(kBegin.size());
  const auto gap = text.find('_');
  if (gap == std::string_view::npos) return {};
  const Presented presented{.id = text.substr(0, gap), .secret = text.substr(gap + 1)};
  if (!is_hex(presented.id, kTokenIdDigits) || !is_hex(presented.secret, 2 * kSecretBytes))
    return {};
  return presented;
}

bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::unexpected<Error> nobody() {
  return fail(Code::unauthenticated, "no valid token was presented");
}
std::unexpected<Error> damaged() { return fail(Code::data_corrupt, "a token's record is damaged"); }

std::string encode(const Token& token) {
  Json json = to_json(token);
  json["digest"] = token.digest;
  return json.dump();
}

Result<VerbSet> read_verbs(const Json& json) {
  VerbSet verbs;
  for (const Json& each : json) {
    if (!each.is_string()) return damaged();
    CARREL_TRY(const Verb verb, parse_verb(each.get<std::string>()));
    verbs.add({verb});
  }
  return verbs;
}

// The record is ours, but the disk it comes from may lie.
Result<Token> read_token(std::string id, std::string_view bytes) {
  const Json json = Json::parse(bytes, nullptr, false);
  if (!json.is_object()) return damaged();
  const auto is = [&](const char* key, bool (Json::*type)() const noexcept) {
    return json.contains(key) && (json[key].*type)();
  };
  if (!is("name", &Json::is_string) || !is("scope", &Json::is_string) ||
      !is("verbs", &Json::is_array) || !is("created", &Json::is_number_unsigned) ||
      !is("creator", &Json::is_string) || !is("digest", &Json::is_string)) {
    return damaged();
  }
  const auto time = [&](const char* key) {
    return WallTime(std::chrono::milliseconds(json[key].get<std::uint64_t>()));
  };
  Token token{.id = std::move(id),
              .name = json["name"],
              .scope = TenantName(json["scope"].get<std::string>()),
              .created = time("created"),
              .creator = json["creator"],
              .digest = json["digest"]};
  const auto verbs = read_verbs(json["verbs"]);
  if (!verbs) return damaged();
  token.verbs = *verbs;
  if (is("expires", &Json::is_number_unsigned)) token.expires = time("expires");
  return token;
}

}  // namespace

Result<std::string> make_secret(Token& token) {
  std::array<std::byte, kIdBytes + kSecretBytes> bytes;
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return fail(Code::io, "the system gave no random bytes");
  const std::span all(bytes);
  token.id = to_hex(all.first(kIdBytes));
  const std::string secret = to_hex(all.subspan(kIdBytes));
  token.digest = sha256_hex(secret);
  return fmt::format("{}{}_{}", kBegin, token.id, secret);
}

Json to_json(const Token& token) {
  Json json = {{"id", token.id},
               {"name", token.name},
               {"scope", token.scope.str()},
               {"verbs", token.verbs.names()},
               {"created", store::milliseconds(token.created)},
               {"creator", token.creator}};
  if (token.expires) json["expires"] = store::milliseconds(*token.expires);
  return json;
}

bool is_token_id(std::string_view text) { return is_hex(text, kTokenIdDigits); }

// Kept a day longer than it is good for, so that a list can say that it has expired.
Result<void> keep(store::Transaction& transaction, const Token& token) {
  std::uint64_t gone = 0;
  if (token.expires) gone = store::milliseconds(*token.expires + std::chrono::hours(24));
  CARREL_TRY_VOID(transaction.put(kById, token.id, {.bytes = encode(token), .expires = gone}));
  return transaction.put(kByTenant, name_of(token.scope, token.id), {.bytes = {}, .expires = gone});
}

Task<Result<std::optional<Token>>> find_token(store::Transaction* transaction, std::string id) {
  CARREL_CO_TRY(const store::Record* const record, co_await transaction->read(kById, id));
  if (record == nullptr) co_return std::optional<Token>();
  CARREL_CO_TRY(Token token, read_token(std::move(id), record->bytes));
  co_return std::optional(std::move(token));
}

Result<void> erase(store::Transaction& transaction, const Token& token) {
  CARREL_TRY_VOID(transaction.erase(kById, token.id));
  return transaction.erase(kByTenant, name_of(token.scope, token.id));
}

Task<Result<store::NamePage>> list_tokens(store::Transaction* transaction, TenantName scope,
                                          std::string after, std::size_t max) {
  const std::string from = after.empty() ? "" : name_of(scope, after);
  co_return co_await transaction->read_names(kByTenant, name_of(scope, ""), from, max);
}

Task<Result<std::size_t>> erase_tokens(store::Transaction* transaction, TenantName scope,
                                       std::size_t most) {
  CARREL_CO_TRY(const store::NamePage page, co_await list_tokens(transaction, scope, "", most));
  for (const auto& entry : page.entries) {
    const std::string id(id_in(entry.name));
    CARREL_CO_TRY_VOID(co_await transaction->read(kById, id));
    CARREL_CO_TRY_VOID(transaction->erase(kById, id));
    CARREL_CO_TRY_VOID(co_await transaction->read(kByTenant, entry.name));
    CARREL_CO_TRY_VOID(transaction->erase(kByTenant, entry.name));
  }
  co_return page.entries.size();
}

std::string_view id_in(std::string_view tenant_and_id) {
  return tenant_and_id.substr(tenant_and_id.rfind(':') + 1);
}

Task<Result<Principal>> identify(store::Transaction* transaction, std::string text, WallTime now) {
  const auto presented = parse(text);
  if (!presented) co_return nobody();
  CARREL_CO_TRY(const std::optional<Token> token,
                co_await find_token(transaction, std::string(presented->id)));
  const std::string none(2 * kSecretBytes, '-');
  const bool known = same(sha256_hex(presented->secret), token ? token->digest : none);
  if (!known || (token->expires && *token->expires <= now)) co_return nobody();
  for (TenantName name = token->scope; name != kNode; name = parent_of(name)) {
    const auto tenant = co_await require(transaction, name);
    if (!tenant && tenant.error().code() == Code::not_found) co_return nobody();
    if (!tenant) co_return std::unexpected(tenant.error());
  }
  co_return Principal{.id = fmt::format("token:{}", token->id),
                      .scope = token->scope,
                      .verbs = token->verbs,
                      .expires = token->expires};
}

}  // namespace carrel::tenant
