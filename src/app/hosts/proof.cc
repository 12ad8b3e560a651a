#include "app/hosts/proof.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/base64.h"
#include "net/url.h"

namespace carrel::hosts {
namespace {

using async::Task;

constexpr std::size_t kTokenBytes = 24;  // 192 bits
constexpr std::size_t kMostAnswer = 256;
constexpr net::CallLimits kHttpLimits{.connect = std::chrono::milliseconds(3'000),
                                      .total = std::chrono::milliseconds(6'000),
                                      .response_bytes = kMostAnswer,
                                      .head_bytes = 16 << 10};

std::array<std::byte, 32> hmac(const NodeKey& key, std::string_view text) {
  std::array<std::byte, 32> out;
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(out.data()), &size);
  return out;
}

Task<Result<void>> look_in_dns(net::Dns* dns, Challenge challenge) {
  CARREL_CO_TRY(const auto texts, co_await dns->texts(challenge.dns_name));
  if (std::ranges::find(texts, challenge.token) != texts.end()) co_return Result<void>();
  co_return fail(Code::permission_denied,
                 texts.empty()
                     ? fmt::format("{} has no text record", challenge.dns_name)
                     : fmt::format("no text record of {} is the token", challenge.dns_name));
}

Task<Result<std::string>> read_short(async::ByteSource* body) {
  std::string text;
  std::array<std::byte, kMostAnswer> piece;
  while (!body->finished()) {
    const std::size_t n = body->read(piece);
    text.append(reinterpret_cast<const char*>(piece.data()), n);
    if (n > 0 || body->finished()) continue;
    CARREL_CO_TRY_VOID(co_await body->wait());
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  co_return text;
}

Task<Result<void>> look_by_http(net::Caller* client, TenantName tenant, Challenge challenge) {
  CARREL_CO_TRY(net::Url url, net::parse_url(challenge.url));
  net::OutgoingRequest request{.url = std::move(url), .headers = {}, .body = {}};
  CARREL_CO_TRY(const auto response,
                co_await client->send(std::move(tenant), std::move(request), kHttpLimits));
  if (response->head().status != 200)
    co_return fail(Code::permission_denied, fmt::format("{} answers with status {}", challenge.url,
                                                        response->head().status));
  CARREL_CO_TRY(const std::string text, co_await read_short(&response->body()));
  if (text == challenge.answer) co_return Result<void>();
  co_return fail(Code::permission_denied,
                 fmt::format("{} does not answer as it should", challenge.url));
}

}  // namespace

Challenges::Challenges(const NodeKey& node_key) : key_(hmac(node_key, "carrel host names 1")) {}
Challenges::~Challenges() { OPENSSL_cleanse(key_.data(), key_.size()); }

// No tenant's name and no host name has a zero byte.
std::string Challenges::derive(std::string_view purpose, const TenantName& tenant,
                               std::string_view host) const {
  const std::string_view zero("\0", 1);
  const auto bytes = hmac(key_, fmt::format("{}{}{}{}{}", purpose, zero, tenant.str(), zero, host));
  return to_base64url({reinterpret_cast<const char*>(bytes.data()), kTokenBytes});
}

Challenge Challenges::of(const TenantName& tenant, std::string_view host) const {
  Challenge challenge{.token = derive("token", tenant, host),
                      .answer = derive("answer", tenant, host),
                      .dns_name = fmt::format("_carrel-challenge.{}", host),
                      .url = {}};
  challenge.url = fmt::format("http://{}/.well-known/carrel-challenge/{}", host, challenge.token);
  return challenge;
}

Task<Result<void>> look_for_proof(net::Dns* dns, net::Caller* client, TenantName tenant,
                                  Challenge challenge) {
  const auto by_dns = co_await look_in_dns(dns, challenge);
  if (by_dns) co_return Result<void>();
  if (client == nullptr) co_return std::unexpected(by_dns.error());
  const auto by_http = co_await look_by_http(client, std::move(tenant), challenge);
  if (by_http) co_return Result<void>();
  co_return fail(Code::permission_denied, fmt::format("DNS: {}. HTTP: {}", by_dns.error().message(),
                                                      by_http.error().message()));
}

}  // namespace carrel::hosts
