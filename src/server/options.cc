#include "server/options.h"

#include <fmt/format.h>

#include <charconv>

namespace carrel::server {

Result<Address> parse_address(std::string_view text) {
  const auto wrong = [&] {
    return fail(Code::invalid_argument, fmt::format("\"{}\" is not an address", text),
                "write HOST:PORT, for example 127.0.0.1:3000, [::1]:3000 or 0.0.0.0:80");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  std::string_view host = text.substr(0, colon);
  const std::string_view port = text.substr(colon + 1);
  Address address;
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size()) return wrong();
  const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host.find_first_of(":[]") != std::string_view::npos) return wrong();
  if (host == "localhost") host = "127.0.0.1";
  if (!host.empty()) address.host = host;
  return address;
}

std::filesystem::path acme_folder(const ServerOptions& options) { return options.state / "acme"; }

net::TlsFiles tls_files(const ServerOptions& options) {
  net::TlsFiles files = options.tls.value_or(net::TlsFiles());
  if (options.acme) files.folders.push_back((acme_folder(options) / "certificates").native());
  return files;
}

}  // namespace carrel::server
