// Who calls, as issuers outside say: JWT bearer tokens, verified with keys that are fetched and
// kept.
//
// A key set comes from a file or, through the shard's own client, from a URL, which may be the one
// that the issuer's configuration names (OpenID Connect Discovery). It is asked for again
// after ten minutes, and when a token names a key that is not in it (at most every ten seconds), so
// that issuers can change their keys. All who need it wait for one fetch; while it cannot be had,
// the one before is good for a day.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "net/caller.h"
#include "net/url.h"
#include "tenant/jwt.h"
#include "tenant/principal.h"

namespace carrel::tenant {

// What tokens with a claim of this value open of the API.
struct AccessRule {
  std::string claim, value;  // a text, or one of a list of texts
  TenantName scope;
  VerbSet verbs;
};

// An issuer as it is configured. Immutable.
struct Issuer {
  Expected expected;
  std::filesystem::path file;  // of its keys, or:
  std::optional<net::Url> url;
  std::optional<net::Url> discovery = {};  // or of what says where they are
  TenantName tenant;  // whose apps' callers it may name, with those below; the node: all
  std::vector<AccessRule> access;
};

// Whether keys may be fetched from there: with https, or with http from the loopback.
bool may_have_keys(const net::Url& url);

// A caller that an issuer vouches for.
struct Identity {
  std::shared_ptr<const Issuer> issuer;
  nlohmann::json claims;
  std::string subject;
  WallTime expires;
};

// The first rule that fits. Errors: unauthenticated when none does.
Result<Principal> principal_of(const Identity& identity);

// Owner: the shard's unit. Thread: its shard. The client, which may be null, outlives it.
class Identities {
 public:
  Identities(std::shared_ptr<const std::vector<Issuer>> issuers, net::Caller* client,
             const Clock& clock);
  ~Identities();
  Identities(const Identities&) = delete;
  Identities& operator=(const Identities&) = delete;

  // From now on these are the issuers; keys of those that stay are kept.
  void use(std::shared_ptr<const std::vector<Issuer>> issuers);

  // Nothing: it is no JWT of an issuer that speaks for this tenant (nothing: for anybody), so it is
  // not for us to judge. Errors: unauthenticated; unavailable when its issuer's keys cannot be had.
  async::Task<Result<std::optional<Identity>>> identify(std::string token,
                                                        std::optional<TenantName> tenant);

 private:
  struct Keys;
  struct Book;  // issuers with their keys
  const Issuer* issuer_of(const Book& book, const Jwt& jwt,
                          const std::optional<TenantName>& tenant) const;
  async::Task<Result<std::shared_ptr<const KeySet>>> keys_for(std::shared_ptr<Book> book,
                                                              std::size_t index, const Jwt* jwt);
  async::Task<void> refresh(Book* book, std::size_t index);
  async::Task<Result<std::string>> fetch(const Issuer* issuer);
  async::Task<Result<net::Url>> discover(const Issuer* issuer);
  async::Task<Result<std::string>> fetch_from(net::Url url);

  net::Caller* client_;
  const Clock& clock_;
  std::shared_ptr<Book> book_;
  std::vector<std::shared_ptr<Book>> before_;  // those that somebody may still read
};

}  // namespace carrel::tenant
