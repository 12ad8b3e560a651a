#include "app/registry_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "app/oci/pull.h"
#include "app/oci/registry.h"
#include "app/oci/session.h"
#include "app/oci/signature.h"
#include "store/sealer.h"
#include "store/transaction.h"
#include "tenant/path.h"

namespace carrel::app {
namespace {

// Empty: it has not been set.
async::Task<Result<SecretBytes>> read_secret(const turn::Services* services, TenantName tenant,
                                             std::string name) {
  store::Transaction transaction(*services->store, tenant, store::TransactionLimits());
  CARREL_CO_TRY(const store::Record* const record,
                co_await transaction.read({store::Kind::secret, ""}, name, store::Track::no));
  if (record == nullptr) co_return SecretBytes();
  co_return services->sealer->open(tenant, name, record->bytes);
}

Result<std::vector<oci::PublicKey>> read_keys(std::string_view pem) {
  constexpr std::string_view kEnd = "-----END PUBLIC KEY-----";
  std::vector<oci::PublicKey> keys;
  for (auto end = pem.find(kEnd); end != std::string_view::npos; end = pem.find(kEnd)) {
    CARREL_TRY(oci::PublicKey key, oci::PublicKey::parse(pem.substr(0, end + kEnd.size())));
    keys.push_back(std::move(key));
    pem.remove_prefix(end + kEnd.size());
  }
  if (!keys.empty()) return keys;
  return fail(Code::invalid_config, "it holds no public key in PEM");
}

std::unexpected<Error> in_secret(std::string_view name, Error error) {
  return std::unexpected(std::move(error).within(fmt::format("the secret {}", name)));
}

}  // namespace

struct RegistrySource::Account {
  oci::Credentials credentials;
  std::vector<std::vector<oci::PublicKey>> signed_by;  // one of each
};

bool RegistrySource::takes(std::string_view reference) const {
  return reference.starts_with(oci::kScheme);
}

async::Task<Result<void>> RegistrySource::add_signers(const turn::Services* services,
                                                      TenantName tenant, Account* account) {
  CARREL_CO_TRY(const SecretBytes signers,
                co_await read_secret(services, tenant, std::string(kSignersSecret)));
  if (signers.size() == 0) co_return Result<void>();
  auto keys = read_keys(signers.view());
  if (!keys) co_return in_secret(kSignersSecret, std::move(keys).error());
  account->signed_by.push_back(std::move(*keys));
  co_return Result<void>();
}

async::Task<Result<RegistrySource::Account>> RegistrySource::account_of(
    const turn::Services* services, TenantName tenant) const {
  Account account;
  CARREL_CO_TRY(const SecretBytes logins,
                co_await read_secret(services, tenant, std::string(kRegistrySecret)));
  if (logins.size() > 0) {
    auto credentials = oci::Credentials::parse(logins.view());
    if (!credentials) co_return in_secret(kRegistrySecret, std::move(credentials).error());
    account.credentials = std::move(*credentials);
  }
  if (!options_.signed_by.empty()) account.signed_by.push_back(options_.signed_by);
  for (; !(tenant == tenant::kNode); tenant = tenant::parent_of(tenant))
    CARREL_CO_TRY_VOID(co_await add_signers(services, tenant, &account));
  co_return account;
}

// What the tag names is fixed before anything is checked, and only that is fetched.
async::Task<Result<FetchedModule>> RegistrySource::fetch(async::Shard& shard, TenantName tenant,
                                                         std::string reference,
                                                         std::uint64_t most) {
  CARREL_CO_TRY(oci::Reference pinned, oci::parse_reference(reference));
  const turn::Services* services =
      shard.index() < options_.services.size() ? options_.services[shard.index()] : nullptr;
  if (services == nullptr || services->store == nullptr || services->sealer == nullptr ||
      services->client == nullptr) {
    co_return fail(Code::unavailable, "this server has no store of logins, or makes no calls");
  }
  CARREL_CO_TRY(const Account account, co_await account_of(services, tenant));
  const oci::SessionOptions how{.named = services->client,
                                .elsewhere = services->client,
                                .tenant = tenant,
                                .login = account.credentials.find(pinned),
                                .helper = account.credentials.helper_of(pinned),
                                .plain_http = options_.plain_http};
  if (pinned.digest.empty()) {
    CARREL_CO_TRY(const auto session, oci::Session::open(shard, pinned, how));
    CARREL_CO_TRY(const oci::Fetched fetched,
                  co_await oci::fetch_document(session.get(), pinned.version()));
    pinned.digest = fetched.digest;
  }
  CARREL_CO_TRY(const auto session, oci::Session::open(shard, pinned, how));
  for (const auto& keys : account.signed_by)
    CARREL_CO_TRY_VOID(co_await oci::verify_image(session.get(), keys));
  oci::MemorySink module;
  oci::PullOptions wanted{.most = std::min(most, oci::kMaxModule),
                          .away = [services, &shard](std::move_only_function<void()> work) {
                            return services->store->store().io().run(shard, std::move(work));
                          }};
  CARREL_CO_TRY(const oci::Pulled pulled,
                co_await oci::pull_module(session.get(), std::move(wanted), &module));
  constexpr std::size_t kPrefix = 7;  // "sha256:"
  co_return FetchedModule{
      .bytes = module.take(), .digest = pulled.module.substr(kPrefix), .pinned = pinned.text()};
}

}  // namespace carrel::app
