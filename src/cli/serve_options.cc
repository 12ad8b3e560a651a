#include "cli/serve_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/hosts/name.h"
#include "app/problems.h"
#include "app/units.h"
#include "base/files.h"
#include "cli/state_folder.h"
#include "server/issuers.h"

namespace carrel::cli {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::uint64_t kMaxEnvironmentFile = 1 << 20;

std::unexpected<Error> wrong(std::string_view option, std::string_view text,
                             std::string_view help) {
  return fail(Code::invalid_argument, fmt::format("{} cannot be {}", option, app::in_quotes(text)),
              std::string(help));
}

Result<std::chrono::milliseconds> duration_of(std::string_view option, const std::string& text) {
  const auto nanos = app::parse_duration(text);
  if (!nanos) return wrong(option, text, "a number and a unit: 500ms, 30s, 2m");
  return std::chrono::duration_cast<std::chrono::milliseconds>(*nanos);
}

Result<server::Address> listen_address(const ServeArguments& arguments) {
  CARREL_TRY(server::Address address, server::parse_address(arguments.listen));
  if (arguments.port >= 0) address.port = static_cast<std::uint16_t>(arguments.port);
  return address;
}

// By default on loopback beside the apps' port; with "any port" there as well, so that servers do
// not meet.
Result<std::optional<server::Address>> admin_address(const ServeArguments& arguments,
                                                     server::Style style, std::uint16_t apps_port) {
  if (arguments.admin == "off") return std::nullopt;
  if (arguments.admin.empty()) {
    const bool any = apps_port == 0 || style == server::Style::development;
    return server::Address{.port = static_cast<std::uint16_t>(any ? 0 : 3001)};
  }
  CARREL_TRY(server::Address address, server::parse_address(arguments.admin));
  return address;
}

// As the admin's; it is there if an app has hook points, or if it was asked for.
Result<std::optional<server::Address>> data_address(const ServeArguments& arguments,
                                                    server::Style style, std::uint16_t apps_port) {
  if (arguments.data == "off") return std::nullopt;
  if (arguments.data.empty()) {
    const bool any = apps_port == 0 || style == server::Style::development;
    return server::Address{.port = static_cast<std::uint16_t>(any ? 0 : 3002)};
  }
  CARREL_TRY(server::Address address, server::parse_address(arguments.data));
  return address;
}

Result<Pairs> environment_of(const ServeArguments& arguments) {
  Pairs pairs;
  for (const std::string& text : arguments.environment) {
    CARREL_TRY(auto pair, parse_pair("--env", text));
    pairs.push_back(std::move(pair));
  }
  if (arguments.environment_file.empty()) return pairs;
  CARREL_TRY(const std::string text, read_file(arguments.environment_file, kMaxEnvironmentFile));
  auto more = parse_environment_file(text);
  if (!more) return std::unexpected(std::move(more).error().within(arguments.environment_file));
  pairs.insert(pairs.end(), more->begin(), more->end());
  return pairs;
}

Result<std::optional<server::Collector>> collector_of(const ServeArguments& arguments) {
  if (arguments.otlp.empty()) return std::nullopt;
  server::Collector collector{.url = {}, .headers = {}, .ratio = arguments.trace_ratio};
  auto url = net::parse_url(arguments.otlp);
  if (!url) return std::unexpected(std::move(url).error().within("--otlp"));
  collector.url = std::move(*url);
  if (arguments.otlp_headers.empty()) return collector;
  CARREL_TRY(const std::string text, read_file(arguments.otlp_headers, kMaxEnvironmentFile));
  auto headers = parse_environment_file(text);
  if (!headers) return std::unexpected(std::move(headers).error().within(arguments.otlp_headers));
  collector.headers = std::move(*headers);
  return collector;
}

Result<std::optional<net::TlsFiles>> tls_files(const ServeArguments& arguments) {
  if (arguments.certificate.empty() && arguments.key.empty() &&
      arguments.certificate_folder.empty()) {
    return std::nullopt;
  }
  if (arguments.certificate.empty() != arguments.key.empty()) {
    return fail(Code::invalid_argument, "TLS needs both a certificate and its key",
                "give --tls-cert FILE and --tls-key FILE");
  }
  net::TlsFiles files{.certificate = arguments.certificate, .key = arguments.key, .folders = {}};
  if (!arguments.certificate_folder.empty()) files.folders.push_back(arguments.certificate_folder);
  return files;
}

Result<std::vector<std::string>> reserved_domains(const ServeArguments& arguments) {
  std::vector<std::string> domains;
  for (const std::string& text : arguments.reserved_domains) {
    auto name = hosts::normal_name(text);
    if (!name) return wrong("--reserved-domain", text, name.error().message());
    domains.push_back(std::move(*name));
  }
  return domains;
}

Result<net::ServerLimits> limits_of(const ServeArguments& arguments) {
  net::ServerLimits limits;
  const auto body = app::parse_size(arguments.max_body);
  if (!body) return wrong("--max-body", arguments.max_body, "a number and a unit: 64KiB, 32MiB");
  limits.body_bytes = *body;
  CARREL_TRY(limits.body_pause, duration_of("--body-pause", arguments.body_pause));
  CARREL_TRY(limits.idle_time, duration_of("--idle-time", arguments.idle_time));
  if (arguments.connections == 0) return wrong("--connections", "0", "at least 1");
  limits.connections = arguments.connections;
  return limits;
}

}  // namespace

Result<std::pair<std::string, std::string>> parse_pair(std::string_view option,
                                                       std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0)
    return wrong(option, text, "write NAME=VALUE");
  return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

Result<Pairs> parse_environment_file(std::string_view text) {
  Pairs pairs;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos || line.starts_with('#')) continue;
    auto pair = parse_pair(fmt::format("line {}", number), line);
    if (!pair) return std::unexpected(std::move(pair).error());
    std::string& value = pair->second;
    const bool quoted =
        value.size() >= 2 && (value[0] == '"' || value[0] == '\'') && value.back() == value[0];
    if (quoted) value = value.substr(1, value.size() - 2);
    pairs.push_back(std::move(*pair));
  }
  return pairs;
}

void add_listen_options(CLI::App& app, ServeArguments& arguments) {
  app.add_option("-l,--listen", arguments.listen, "Where to listen (default: 127.0.0.1:3000)")
      ->type_name("HOST:PORT");
  app.add_option("-p,--port", arguments.port, "The port alone; 0: any free one")
      ->type_name("PORT")
      ->check(CLI::Range(0, 65535).description(""));
  app.add_option("--shards", arguments.shards, "Threads that serve (default: one a processor)")
      ->type_name("N")
      ->check(CLI::Range(1, 256).description(""));
}

void add_module_options(CLI::App& app, ServeArguments& arguments) {
  app.add_option("-e,--env", arguments.environment,
                 "An environment variable for every module; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("--env-file", arguments.environment_file, "The same from a file, one a line")
      ->type_name("FILE");
  add_state_option(app, arguments.state);
}

void add_operation_options(CLI::App& app, ServeArguments& arguments) {
  app.add_option("--tls-cert", arguments.certificate,
                 "Serve HTTPS with this certificate chain (PEM)")
      ->type_name("FILE");
  app.add_option("--tls-key", arguments.key, "and this key (PEM)")->type_name("FILE");
  app.add_option("--tls-folder", arguments.certificate_folder,
                 "Certificates for names of their own: NAME.pem, with its key or with NAME.key")
      ->type_name("FOLDER");
  app.add_option("--host", arguments.hosts, "One more host name of an app; may be repeated")
      ->type_name("APP=NAME")
      ->allow_extra_args(false);
  app.add_option("--reserved-domain", arguments.reserved_domains,
                 "A domain in which tenants claim no host names; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("--dns", arguments.dns,
                 "The DNS server that is asked for the names that apps call and tenants claim\n"
                 "(default: the system's)")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  app.add_option("--admin", arguments.admin,
                 "Where the /v1 API listens, or off (default: 127.0.0.1:3001)")
      ->type_name("HOST:PORT");
  app.add_option("--admin-host", arguments.admin_hosts,
                 "A name by which the /v1 API may be called; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("--data", arguments.data,
                 "Where hook points are called, or off (default: 127.0.0.1:3002)")
      ->type_name("HOST:PORT");
  app.add_option("--data-socket", arguments.data_socket,
                 "A Unix socket where hook points are called as well, by libcarrel (default: none)")
      ->type_name("PATH");
  app.add_option("--issuers", arguments.issuers,
                 "Whose JWTs are believed, by apps and by the /v1 API (TOML; default: nobody's)")
      ->type_name("FILE");
  app.add_option("--access-log", arguments.access_log,
                 "A line for each request: a file, - or off (default: off)")
      ->type_name("FILE");
  app.add_option("--log", arguments.log, "Where errors and guests' words go (default: stderr)")
      ->type_name("FILE");
  app.add_option("--log-level", arguments.log_level,
                 "debug, info, warn, error or off (default: info)")
      ->type_name("LEVEL");
  app.add_option("--otlp", arguments.otlp,
                 "Where traces are sent, OTLP over HTTP: http://127.0.0.1:4318/v1/traces")
      ->type_name("URL");
  app.add_option("--otlp-headers", arguments.otlp_headers,
                 "What to say there besides, NAME=VALUE, one a line")
      ->type_name("FILE");
  app.add_option("--trace-ratio", arguments.trace_ratio,
                 "Of requests that come without a trace, how many begin one (default: 1)")
      ->type_name("0..1")
      ->check(CLI::Range(0.0, 1.0).description(""));
  app.add_option("--max-body", arguments.max_body, "The longest request body (default: 32MiB)")
      ->type_name("SIZE");
  app.add_option("--body-pause", arguments.body_pause,
                 "The longest pause within a body (default: 30s)")
      ->type_name("TIME");
  app.add_option("--idle-time", arguments.idle_time,
                 "How long an idle connection is kept (default: 75s)")
      ->type_name("TIME");
  app.add_option("--connections", arguments.connections, "Connections a shard (default: 10000)")
      ->type_name("N");
  app.add_option("--drain", arguments.drain,
                 "How long requests may go on when it stops (default: 10s)")
      ->type_name("TIME");
}

void add_serve_options(CLI::App& app, ServeArguments& arguments) {
  app.add_option("FOLDER", arguments.apps);
  app.add_option("-c,--config", arguments.config,
                 "Options from a file (carreld.toml); or as --modules")
      ->type_name("FILE");
  app.add_option("--modules", arguments.modules, "Serve a modules.toml of wagi")->type_name("FILE");
  add_listen_options(app, arguments);
  add_module_options(app, arguments);
  add_egress_options(app, arguments.egress);
  add_source_options(app, arguments.registry);
  add_operation_options(app, arguments);
  add_acme_options(app, arguments.acme);
}

Result<server::ServerOptions> server_options(const ServeArguments& arguments, server::Style style) {
  CARREL_TRY(server::ServerOptions options, check_options(arguments, style));
  CARREL_TRY(options.state, open_state(arguments.state));
  return options;
}

Result<server::ServerOptions> check_options(const ServeArguments& arguments, server::Style style) {
  server::ServerOptions options{.style = style, .version = CARREL_VERSION};
  if (!arguments.modules.empty())
    options.apps.push_back({arguments.modules, server::ManifestKind::wagi});
  for (const std::string& app : arguments.apps)
    options.apps.push_back({app, server::ManifestKind::carrel});
  // A server without folders is one to deploy to.
  if (options.apps.empty() && (style == server::Style::development || arguments.admin == "off")) {
    return fail(Code::invalid_argument, "nothing to serve",
                "name an app's folder, or --modules FILE");
  }
  CARREL_TRY(options.environment, environment_of(arguments));
  for (const std::string& text : arguments.hosts) {
    CARREL_TRY(auto pair, parse_pair("--host", text));
    options.hosts.push_back(std::move(pair));
  }
  CARREL_TRY(options.listen, listen_address(arguments));
  CARREL_TRY(options.admin, admin_address(arguments, style, options.listen.port));
  options.admin_hosts = arguments.admin_hosts;
  CARREL_TRY(options.data, data_address(arguments, style, options.listen.port));
  options.data_asked = !arguments.data.empty();
  options.data_socket = arguments.data_socket;
  if (!arguments.issuers.empty()) {
    CARREL_TRY(options.issuers, server::load_issuers(arguments.issuers));
  }
  CARREL_TRY(options.tls, tls_files(arguments));
  CARREL_TRY(options.limits, limits_of(arguments));
  CARREL_TRY(options.allowed_egress, allowed_ranges(arguments.egress));
  options.egress_ca_file = arguments.egress.ca_file;
  CARREL_TRY(options.registry_logins, read_credentials(arguments.registry.config));
  CARREL_TRY(options.trusted_signers, read_public_keys(arguments.registry.signed_by));
  options.plain_http = arguments.registry.plain_http;
  CARREL_TRY_VOID(read_acme(arguments.acme, options));
  if (!arguments.dns.empty()) {
    CARREL_TRY(options.dns, net::parse_dns_server(arguments.dns));
  }
  CARREL_TRY(options.reserved_domains, reserved_domains(arguments));
  CARREL_TRY(options.drain, duration_of("--drain", arguments.drain));
  CARREL_TRY(options.log_level, observe::level_of(arguments.log_level));
  options.shards = arguments.shards;
  CARREL_TRY(options.collector, collector_of(arguments));
  options.access_log = arguments.access_log;
  options.log = arguments.log;
  return options;
}

}  // namespace carrel::cli
