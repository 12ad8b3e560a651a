// ACME on this server: a thread and a shard of its own, on which the keeper (acme/keeper.h) works.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "acme/keeper.h"
#include "app/hosts/certificate.h"
#include "async/gate.h"
#include "net/client.h"
#include "net/dns.h"
#include "observe/log.h"
#include "server/options.h"

namespace carrel::server {

// Owner: the composition root. Thread: its own, for what goes on. Stops: `stop`; an order that is
// under way ends there.
class AcmeUnit final : public acme::Report {
 public:
  // The names that want certificates are asked for on its thread. Errors: those of Folder and of
  // the certificates to believe.
  static Result<std::unique_ptr<AcmeUnit>> open(const ServerOptions& options,
                                                const net::EgressPolicy& egress,
                                                acme::Challenges& challenges,
                                                acme::Keeper::Wanted wanted, observe::Log& events);
  ~AcmeUnit() override;

  void start();
  void stop();

  void issued(const std::string& host, WallTime until) override;
  void failed(const std::string& host, const Error& error, std::chrono::seconds pause) override;
  void given_up(const std::string& host) override;

  // Why the latest order for the name failed; nothing: it did not. Any thread.
  std::optional<hosts::CertificateFailure> failure(std::string_view host) const;

 private:
  using Failures = std::map<std::string, hosts::CertificateFailure, std::less<>>;
  void note(const std::string& host, std::optional<hosts::CertificateFailure> failure);

  AcmeUnit(acme::Folder folder, observe::Log& events)
      : folder_(std::move(folder)), events_(events) {}

  const acme::Folder folder_;
  observe::Log& events_;
  std::atomic<std::shared_ptr<const Failures>> failures_ = std::make_shared<const Failures>();
  async::Shard shard_;
  std::optional<net::DnsResolver> resolver_;
  std::optional<net::Client> client_;
  std::optional<acme::Conversation> conversation_;
  std::optional<acme::Keeper> keeper_;
  async::Task<void> work_;  // goes first
  std::thread thread_;
};

}  // namespace carrel::server
