#include "api/authenticator.h"

#include "api/guard.h"
#include "tenant/identities.h"
#include "tenant/token.h"

namespace carrel::api {

using async::Task;
using tenant::Principal;

Task<Result<Principal>> Authenticator::identify(const net::Request* request,
                                                turn::Services services, const Clock* clock) {
  auto principal = co_await identify_or_refuse(request, services, clock);
  const bool stranger = !principal && (principal.error().code() == Code::unauthenticated ||
                                       principal.error().code() == Code::too_many_requests);
  if (stranger) strangers_->add();
  co_return principal;
}

Task<Result<Principal>> Authenticator::identify_or_refuse(const net::Request* request,
                                                          turn::Services services,
                                                          const Clock* clock) {
  const auto presented = bearer_of(*request);
  if (!presented) co_return fail(Code::unauthenticated, "no token was presented");
  if (operator_token_.matches(*presented)) {
    co_return Principal{.id = "operator", .scope = tenant::kNode, .verbs = tenant::VerbSet::all()};
  }
  if (services.store == nullptr || services.gate == nullptr) co_return fail(Code::unavailable);
  auto principal = co_await look_up(std::string(*presented), services, clock);
  if (principal || principal.error().code() != Code::unauthenticated) co_return principal;
  // Others may share the address, behind a proxy: a token that is valid is never refused for
  // theirs.
  if (!failures_.allows(request->remote_address, clock->now()))
    co_return fail(Code::too_many_requests, "too many tokens from this address were not valid");
  failures_.count(request->remote_address, clock->now());
  co_return principal;
}

Task<Result<Principal>> Authenticator::look_up(std::string presented, turn::Services services,
                                               const Clock* clock) {
  if (identities_ != nullptr && tenant::looks_like_jwt(presented)) {
    CARREL_CO_TRY(const auto identity, co_await identities_->identify(presented, std::nullopt));
    if (identity) co_return tenant::principal_of(*identity);
  }
  store::Transaction transaction(*services.store, tenant::kNode, {});
  co_return co_await tenant::identify(&transaction, std::move(presented), clock->wall());
}

}  // namespace carrel::api
