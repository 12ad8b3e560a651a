#include "server/acme_unit.h"

#include <pthread.h>

#include "api/answer.h"
#include "server/state.h"

namespace carrel::server {

Result<std::unique_ptr<AcmeUnit>> AcmeUnit::open(const ServerOptions& options,
                                                 const net::EgressPolicy& egress,
                                                 acme::Challenges& challenges,
                                                 acme::Keeper::Wanted wanted,
                                                 observe::Log& events) {
  const AcmeOptions& acme = *options.acme;
  CARREL_TRY(auto folder, acme::Folder::open(acme_folder(options)));
  CARREL_TRY(auto account, folder.account());
  CARREL_TRY(auto tls, net::load_client_tls(acme.ca_file));
  std::unique_ptr<AcmeUnit> unit(new AcmeUnit(std::move(folder), events));
  net::ClientOptions how{.policy = egress, .tls = std::move(tls)};
  if (options.dns) how.resolver = &unit->resolver_.emplace(unit->shard_, *options.dns);
  unit->client_.emplace(unit->shard_, std::move(how));
  unit->conversation_.emplace(unit->shard_, *unit->client_, challenges, acme.server,
                              std::move(account));
  unit->keeper_.emplace(unit->shard_, *unit->conversation_, unit->folder_, std::move(wanted), *unit,
                        system_clock());
  return unit;
}

AcmeUnit::~AcmeUnit() { stop(); }

void AcmeUnit::start() {
  shard_.submit([this] {
    work_ = keeper_->run();
    work_.start();
  });
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "acme");
    shard_.run();
    work_ = {};  // on the thread whose shard it is
  });
}

void AcmeUnit::stop() {
  if (!thread_.joinable()) return;
  shard_.stop();
  thread_.join();
}

namespace {

// What failed on this node is its operator's to know: it may name the node's files.
std::string for_tenants(const Error& error) {
  if (error.code() == Code::permission_denied || code_name(error.code()).starts_with("egress_"))
    return error.message();
  return "it failed on the node, whose log says why";
}

}  // namespace

// One order goes on at a time, so a copy for each is little.
void AcmeUnit::note(const std::string& host, std::optional<hosts::CertificateFailure> failure) {
  const auto before = failures_.load();
  if (!failure && !before->contains(host)) return;
  auto now = std::make_shared<Failures>(*before);
  if (failure) {
    (*now)[host] = std::move(*failure);
  } else {
    now->erase(host);
  }
  failures_.store(std::move(now));
}

std::optional<hosts::CertificateFailure> AcmeUnit::failure(std::string_view host) const {
  const auto failures = failures_.load();
  const auto found = failures->find(host);
  return found == failures->end() ? std::nullopt : std::optional(found->second);
}

void AcmeUnit::given_up(const std::string& host) { note(host, {}); }

void AcmeUnit::issued(const std::string& host, WallTime until) {
  note(host, {});
  events_.write(observe::Level::info, "certificate_issued",
                {{"host", host}, {"until", api::time_text(until)}});
}

void AcmeUnit::failed(const std::string& host, const Error& error, std::chrono::seconds pause) {
  note(host, hosts::CertificateFailure{.code = std::string(code_name(error.code())),
                                       .message = for_tenants(error),
                                       .again = system_clock().wall() + pause});
  events_.write(observe::Level::warn, "certificate_not_issued",
                {{"host", host},
                 {"code", code_name(error.code())},
                 {"message", error.message()},
                 {"help", error.help()},
                 {"again_in_seconds", static_cast<std::uint64_t>(pause.count())}});
}

}  // namespace carrel::server
