#include "patterns/hook/endpoint_secret.h"

#include <fmt/format.h>

#include "store/sealer.h"

namespace carrel::hook {
namespace {

const store::Place kSecrets{.kind = store::Kind::secret, .store = ""};

}  // namespace

async::Task<Result<SecretBytes>> read_secret(turn::Services services, TenantName tenant,
                                             std::string name) {
  store::Transaction transaction(*services.store, tenant, {});
  CARREL_CO_TRY(const store::Record* const found,
                co_await transaction.read(kSecrets, name, store::Track::no));
  if (found == nullptr) {
    co_return fail(Code::not_found,
                   fmt::format("the secret {} of tenant {} is not set", name, tenant.str()));
  }
  co_return services.sealer->open(tenant, name, found->bytes);
}

std::string_view without_line_end(std::string_view secret) {
  if (secret.ends_with('\n')) secret.remove_suffix(1);
  if (secret.ends_with('\r')) secret.remove_suffix(1);
  return secret;
}

}  // namespace carrel::hook
