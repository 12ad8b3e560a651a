// Tokens: what a caller presents, and what is kept of it.
//
//   carrel_ID_SECRET    ID: 16 hexadecimal digits, public; SECRET: 64, 256 random bits
//   Kind::token, store "id",     name: ID        -> JSON with the secret's SHA-256
//   Kind::token, store "tenant", name: TENANT:ID -> nothing; the tenant's tokens in order
//
// The secret is shown once, when it is made, and kept nowhere. It is compared in constant time.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "store/transaction.h"
#include "tenant/principal.h"

namespace carrel::tenant {

inline constexpr std::size_t kMaxTokenName = 64;
inline constexpr std::size_t kTokenIdDigits = 16;

// What is kept of a token. Value type.
struct Token {
  std::string id;
  std::string name;  // for people; may be empty
  TenantName scope;  // this tenant and all below; the node: every one
  VerbSet verbs;
  WallTime created;
  std::optional<WallTime> expires;
  std::string creator;  // a principal's id
  std::string digest;   // SHA-256 of the secret, hexadecimal
};

// Fills in the id and the digest; gives the text to present. Errors: io when the system has no
// random bytes.
Result<std::string> make_secret(Token& token);

// What may be shown of it.
nlohmann::json to_json(const Token& token);

bool is_token_id(std::string_view text);

// The transaction outlives the tasks.
Result<void> keep(store::Transaction& transaction, const Token& token);
// Nothing: there is none with this id. Errors: data_corrupt; those of Transaction::read.
async::Task<Result<std::optional<Token>>> find_token(store::Transaction* transaction,
                                                     std::string id);
Result<void> erase(store::Transaction& transaction, const Token& token);
// Names of the second kind of record, TENANT:ID; `after`: an id.
async::Task<Result<store::NamePage>> list_tokens(store::Transaction* transaction, TenantName scope,
                                                 std::string after, std::size_t max);
// Takes away all that are for the tenant, at most `most`; returns how many.
async::Task<Result<std::size_t>> erase_tokens(store::Transaction* transaction, TenantName scope,
                                              std::size_t most);
std::string_view id_in(std::string_view tenant_and_id);

// Who presents `text`. Errors: unauthenticated when nobody may, without saying why; those of the
// store.
async::Task<Result<Principal>> identify(store::Transaction* transaction, std::string text,
                                        WallTime now);

}  // namespace carrel::tenant
