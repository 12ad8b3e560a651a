#include "app/oci/registries.h"

#include "app/oci/registry.h"

namespace carrel::oci {
namespace {

net::EgressPolicy anywhere(const net::EgressPolicy& policy) {
  return {.allowed = {{.base = {}, .bits = 0}, {.base = {.v6 = true}, .bits = 0}},
          .own_listeners = policy.own_listeners};
}

template <typename T>
async::Task<void> finish(async::Task<Result<T>> task, Result<T>* out) {
  *out = co_await std::move(task);
}

template <typename T>
Result<T> run(async::Shard& shard, async::Task<Result<T>> task) {
  Result<T> out = fail(Code::internal, "a call to a registry did not end");
  shard.run_until_done(finish(std::move(task), &out));
  return out;
}

async::Task<Result<std::string>> digest_now(Session* session) {
  CARREL_CO_TRY(const Fetched fetched,
                co_await fetch_document(session, session->reference().version()));
  co_return fetched.digest;
}

Error at(const Reference& reference, Error error) {
  return std::move(error).within(reference.text());
}

}  // namespace

Result<std::unique_ptr<Registries>> Registries::make(RegistriesOptions options) {
  CARREL_TRY(auto tls, net::load_client_tls(options.ca_file));
  return std::unique_ptr<Registries>(new Registries(std::move(options), std::move(tls)));
}

Registries::Registries(RegistriesOptions options, std::shared_ptr<net::TlsContext> tls)
    : options_(std::move(options)) {
  const bool free = options_.named == NamedHosts::anywhere;
  named_ = std::make_unique<net::Client>(
      shard_,
      net::ClientOptions{.policy = free ? anywhere(options_.policy) : options_.policy, .tls = tls});
  elsewhere_ = std::make_unique<net::Client>(
      shard_, net::ClientOptions{.policy = options_.policy, .tls = std::move(tls)});
}

Registries::~Registries() = default;

Result<std::unique_ptr<Session>> Registries::session(const Reference& reference, Access access) {
  return Session::open(shard_, reference,
                       {.named = named_.get(),
                        .elsewhere = elsewhere_.get(),
                        .tenant = options_.tenant,
                        .login = options_.credentials.find(reference),
                        .helper = options_.credentials.helper_of(reference),
                        .access = access,
                        .plain_http = options_.plain_http,
                        .stall = options_.stall});
}

Result<Pulled> Registries::pull(const Reference& reference, std::string layer, Sink& into) {
  CARREL_TRY(const auto session, this->session(reference, Access::pull));
  auto pulled = run(shard_, pull_module(session.get(), {.layer = std::move(layer)}, &into));
  if (!pulled) return std::unexpected(at(reference, std::move(pulled).error()));
  return pulled;
}

Result<std::string> Registries::push(const Reference& reference, Pushed pushed) {
  CARREL_TRY(const auto session, this->session(reference, Access::push));
  auto digest = run(shard_, push_module(session.get(), std::move(pushed)));
  if (!digest) return std::unexpected(at(reference, std::move(digest).error()));
  return digest;
}

Result<Verified> Registries::sign(const Reference& reference, const SigningKey& key) {
  CARREL_TRY(const auto session, this->session(reference, Access::push));
  auto done = run(shard_, sign_image(session.get(), key));
  if (!done) return std::unexpected(at(reference, std::move(done).error()));
  return done;
}

Result<Verified> Registries::verify(const Reference& reference,
                                    const std::vector<PublicKey>& keys) {
  CARREL_TRY(const auto session, this->session(reference, Access::pull));
  auto done = run(shard_, verify_image(session.get(), keys));
  if (!done) return std::unexpected(at(reference, std::move(done).error()));
  return done;
}

Result<std::string> Registries::resolve(const Reference& reference) {
  CARREL_TRY(const auto session, this->session(reference, Access::pull));
  auto digest = run(shard_, digest_now(session.get()));
  if (!digest) return std::unexpected(at(reference, std::move(digest).error()));
  return digest;
}

}  // namespace carrel::oci
