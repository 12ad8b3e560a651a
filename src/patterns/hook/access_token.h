// Access tokens that endpoints ask for: OAuth 2.0 client credentials (RFC 6749, section 4.4), as
// bearer tokens (RFC 6750).
//
// A token is kept in memory until shortly before its end and is used for all requests to its
// endpoint. Redirects are not followed, and nothing of an answer but an error's code is repeated.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "app/hooks.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "net/caller.h"
#include "turn/state.h"

namespace carrel::hook {

inline constexpr std::size_t kMostToken = 8192;         // bytes of a token
inline constexpr std::size_t kMostTokenAnswer = 32768;  // bytes of the answer it is in

struct TokenAnswer {
  SecretBytes token;
  Nanos good_for;
};

// A token server's answer of status 200. Errors: egress_bad_response. Pure.
Result<TokenAnswer> parse_token_answer(std::string_view body);

// "invalid_client" of another answer; empty: it says nothing that can be repeated. Pure.
std::string token_error(std::string_view body);

// What a token server is asked. Pure.
net::OutgoingRequest token_request(const app::OAuthClient& client, std::string_view secret);

// Owner: the shard's unit. Thread: its shard. Stops: destroying a task cancels it.
class AccessTokens {
 public:
  AccessTokens(const turn::Services& services, const Clock& clock)
      : services_(services), clock_(clock) {}
  AccessTokens(const AccessTokens&) = delete;
  AccessTokens& operator=(const AccessTokens&) = delete;

  struct Given {
    SecretBytes token;
    bool kept = false;  // it was here already, so it may have been taken back since
  };
  // Errors: not_found for the secret; those of net::Caller; egress_bad_response.
  async::Task<Result<Given>> get(TenantName tenant, app::OAuthClient client, Nanos longest);

  // It is not good any more. Nothing happens if it is not what is kept.
  void drop(const TenantName& tenant, const app::OAuthClient& client, std::string_view token);

 private:
  struct Kept {
    SecretBytes token;
    Instant end;
  };
  void keep(std::string name, const TokenAnswer& answer);

  const turn::Services& services_;
  const Clock& clock_;
  std::map<std::string, Kept> kept_;
};

}  // namespace carrel::hook
