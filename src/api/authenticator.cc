#include "api/authenticator.h"

#include "api/guard.h"
#include "tenant/token.h"

namespace carrel::api {

using async::Task;
using tenant::Principal;

Task<Result<Principal>> Authenticator::identify(const net::Request* request,
                                                turn::Services services, const Clock* clock) {
  const auto presented = bearer_of(*request);
  if (!presented) co_return fail(Code::unauthenticated, "no token was presented");
  if (operator_token_.matches(*presented)) {
    co_return Principal{.id = "operator", .scope = tenant::kNode, .verbs = tenant::VerbSet::all()};
  }
  if (!failures_.allows(request->remote_address, clock->now()))
    co_return fail(Code::too_many_requests, "too many tokens from this address were not valid");
  if (services.store == nullptr || services.gate == nullptr) co_return fail(Code::unavailable);
  store::Transaction transaction(*services.store, tenant::kNode, {});
  auto principal = co_await tenant::identify(&transaction, std::string(*presented), clock->wall());
  if (!principal && principal.error().code() == Code::unauthenticated)
    failures_.count(request->remote_address, clock->now());
  co_return principal;
}

}  // namespace carrel::api
