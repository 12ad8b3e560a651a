#include "cli/acme_options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "app/hosts/name.h"
#include "app/problems.h"

namespace carrel::cli {
namespace {

std::unexpected<Error> wrong(std::string_view option, std::string_view text,
                             std::string_view help) {
  return fail(Code::invalid_argument, fmt::format("{} cannot be {}", option, app::in_quotes(text)),
              std::string(help));
}

Result<server::AcmeOptions> read_server(const AcmeArguments& arguments) {
  server::AcmeOptions acme{.server = {}, .ca_file = arguments.ca_file, .names = {}};
  auto url = net::parse_url(arguments.directory);
  if (!url || url->scheme != "https")
    return wrong("--acme", arguments.directory, "an https URL: the directory of an ACME server");
  acme.server = {
      .directory = std::move(*url), .contact = arguments.contact, .terms = acme::Terms::not_agreed};
  if (arguments.terms == "agreed") acme.server.terms = acme::Terms::agreed;
  if (arguments.terms != "agreed" && !arguments.terms.empty())
    return wrong("--acme-terms", arguments.terms, "say agreed, or leave it out");
  for (const std::string& text : arguments.names) {
    auto name = hosts::normal_name(text);
    if (!name) return wrong("--acme-name", text, name.error().message());
    acme.names.push_back(std::move(*name));
  }
  return acme;
}

}  // namespace

void add_acme_options(CLI::App& app, AcmeArguments& arguments) {
  app.add_option(
         "--listen-plain", arguments.plain,
         "Beside HTTPS: a listener without, for ACME's challenges; it sends others to https")
      ->type_name("HOST:PORT");
  app.add_option("--acme", arguments.directory,
                 "Serve HTTPS with certificates from this ACME server, for names that are proven")
      ->type_name("URL");
  app.add_option("--acme-terms", arguments.terms, "Say agreed, when you have read its terms")
      ->type_name("agreed");
  app.add_option("--acme-contact", arguments.contact, "Where its operator can reach you by mail")
      ->type_name("ADDRESS");
  app.add_option("--acme-name", arguments.names,
                 "A name of your own that is to have a certificate; may be repeated")
      ->type_name("NAME")
      ->allow_extra_args(false);
  app.add_option("--acme-ca-file", arguments.ca_file,
                 "Certificates that are believed of it (PEM; default: the system's)")
      ->type_name("FILE");
}

Result<void> read_acme(const AcmeArguments& arguments, server::ServerOptions& options) {
  if (!arguments.directory.empty()) {
    CARREL_TRY(options.acme, read_server(arguments));
  }
  if (arguments.directory.empty() && !arguments.names.empty())
    return fail(Code::invalid_argument, "--acme-name names no ACME server",
                "give its directory with --acme URL");
  if (!arguments.plain.empty()) {
    CARREL_TRY(options.plain, server::parse_address(arguments.plain));
  }
  if (options.acme && !options.plain)
    return fail(Code::invalid_argument, "--acme needs a listener for its challenges",
                "give it one: --listen-plain 0.0.0.0:80");
  if (options.plain && !server::has_tls(options))
    return fail(Code::invalid_argument, "--listen-plain is for servers with TLS",
                "without TLS, --listen is plain already");
  return {};
}

}  // namespace carrel::cli
