// What `carrel serve` and `carrel dev` were asked to do. The command line fills it in; defaults are
// safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "acme/conversation.h"
#include "app/oci/credentials.h"
#include "app/oci/keys.h"
#include "net/dns.h"
#include "net/egress_policy.h"
#include "net/server.h"
#include "observe/log.h"
#include "server/collector.h"

namespace carrel::tenant {
struct Issuer;
}

namespace carrel::server {

using Issuers = std::shared_ptr<const std::vector<tenant::Issuer>>;

struct Address {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
};

// "127.0.0.1:3000", "[::1]:3000", ":3000". Errors: invalid_argument.
Result<Address> parse_address(std::string_view text);

enum class ManifestKind { carrel, wagi };

// Where an app's manifest is: a folder with carrel.toml or the file itself, or a modules.toml of
// wagi.
struct AppSource {
  std::filesystem::path path;
  ManifestKind kind = ManifestKind::carrel;
};

// For the person in front of it, or for machines.
enum class Style { development, production };

// Certificates by themselves.
struct AcmeOptions {
  acme::Server server;
  std::string ca_file;             // whom it believes there; empty: the system's roots
  std::vector<std::string> names;  // of the operator's own, besides those that tenants have proven
};

struct ServerOptions {
  Style style = Style::production;
  std::string version;
  std::vector<AppSource> apps;
  std::vector<std::pair<std::string, std::string>> environment;  // for every module
  std::vector<std::pair<std::string, std::string>> hosts;        // app, host name

  Address listen{.host = "127.0.0.1", .port = 3000};
  std::optional<Address> admin;          // nothing: no admin listener
  Issuers issuers;                       // those whose JWTs are believed; null: none
  std::vector<std::string> admin_hosts;  // names it may be called by, besides the loopback's
  std::optional<Address> data;           // for applications that call hook points
  bool data_asked = false;               // named by the caller: it is there without hook points too
  std::filesystem::path data_socket;     // the same on a Unix socket; empty: none
  std::optional<net::TlsFiles> tls;
  std::optional<AcmeOptions> acme;
  std::optional<Address> plain;  // a listener beside one with TLS, without
  net::ServerLimits limits;

  std::vector<net::IpRange> allowed_egress;  // that apps may call, besides public addresses
  std::string egress_ca_file;                // whom https calls believe; empty: the system's roots

  std::optional<net::DnsServer> dns;          // who is asked for names; nothing: the system
  std::vector<std::string> reserved_domains;  // in which tenants claim no host names
  std::optional<Collector> collector;         // of traces; nothing: none are recorded

  oci::Credentials registry_logins;             // for modules that apps name in registries
  std::vector<std::string> plain_http;          // registries without TLS, besides loopback's
  std::vector<oci::PublicKey> trusted_signers;  // empty: modules need not be signed

  unsigned shards = 0;  // 0: one for each processor this process may use
  std::filesystem::path state;
  std::string access_log = "off";  // a file, "-" or "off"
  std::string log = "stderr";      // a file or "stderr"
  observe::Level log_level = observe::Level::info;
  std::chrono::milliseconds drain{10'000};  // for requests in progress when it stops

  // At SIGHUP: the options as their file has them by then. `apps`, `hosts` and `tls` are taken
  // over; empty: they stay.
  std::function<Result<ServerOptions>()> read_again;
};

// The apps' listener has TLS.
inline bool has_tls(const ServerOptions& options) { return options.tls || options.acme; }
std::filesystem::path acme_folder(const ServerOptions& options);
// With the folder that ACME fills.
net::TlsFiles tls_files(const ServerOptions& options);

}  // namespace carrel::server
