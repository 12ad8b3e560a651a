// A conversation with one registry about one repository: requests that know who we are.
//
// The registry that was named may be called wherever the caller's policy lets it be. Where it sends
// us (its token service, the storage behind it) is called under a policy of its own, and is told
// nothing that is the registry's: no login but to the token service, no token but to the registry.
// Never from https to http.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/oci/challenge.h"
#include "app/oci/credentials.h"
#include "app/oci/reference.h"
#include "async/shard.h"
#include "net/caller.h"

namespace carrel::oci {

enum class Access : unsigned char { pull, push };

struct SessionOptions {
  net::Caller* named;      // calls the registry
  net::Caller* elsewhere;  // calls where it sends us
  TenantName tenant;       // on whose behalf
  std::optional<Login> login = {};
  std::optional<std::string> helper = {};  // a program that would know the login; for words only
  Access access = Access::pull;
  std::vector<std::string> plain_http = {};  // registries without TLS, besides loopback's
  std::chrono::milliseconds stall{30'000};   // nothing comes for this long: it is over
  std::chrono::milliseconds total{600'000};  // one request with its answer
};

using Response = std::unique_ptr<net::IncomingResponse>;

// Owner: the command, or the fetcher. Thread: its shard. Stops: destroying a task cancels it.
class Session {
 public:
  // Errors: invalid_argument.
  static Result<std::unique_ptr<Session>> open(async::Shard& shard, Reference reference,
                                               SessionOptions options);

  const Reference& reference() const { return reference_; }
  // Of /v2/NAME/ and what follows it.
  net::Url url(std::string_view rest) const;

  // The final answer, whatever its status but 401: one challenge is answered, and five redirects of
  // GET and HEAD are followed. Errors: unauthenticated; registry_failed for a registry that keeps
  // sending us on, or sends us to http; those of a call.
  async::Task<Result<Response>> send(net::OutgoingRequest request, std::uint64_t most_bytes);

  // The whole body. Errors: those of a call; egress_timeout when nothing more comes.
  async::Task<Result<std::string>> read(net::IncomingResponse* response);
  // Waits for more of it, no longer than a stall.
  async::Task<Result<void>> wait(net::IncomingResponse* response);

  // Why the registry did not do it, in its own words if it has some.
  async::Task<Error> refusal(Response response);

 private:
  Session(async::Shard& shard, Reference reference, SessionOptions options, net::Url base)
      : shard_(shard),
        reference_(std::move(reference)),
        options_(std::move(options)),
        base_(std::move(base)) {}

  bool is_home(const net::Url& url) const;
  async::Task<Result<Response>> once(net::OutgoingRequest request, std::uint64_t most_bytes);
  async::Task<Result<void>> authenticate(std::vector<Challenge> challenges);
  async::Task<Result<void>> fetch_token(Challenge challenge);
  Result<net::OutgoingRequest> token_request(const Challenge& challenge) const;
  Error unauthenticated() const;

  async::Shard& shard_;
  Reference reference_;
  SessionOptions options_;
  net::Url base_;
  std::string authorization_;
};

}  // namespace carrel::oci
