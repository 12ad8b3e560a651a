#include "net/dns.h"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <fmt/format.h>
#include <netdb.h>
#include <resolv.h>

#include <charconv>
#include <cstring>

#include "net/authority.h"
#include "net/dns_answer.h"

namespace carrel::net {
namespace {

constexpr int kSeconds = 2;  // for one question to one server; then it is repeated once
constexpr std::size_t kMostAnswer = 64 << 10;

// A stub resolver of one thread.
class Stub {
 public:
  Stub() { ready_ = ::res_ninit(&state_) == 0; }
  ~Stub() {
    if (ready_) ::res_nclose(&state_);
  }
  Stub(const Stub&) = delete;
  Stub& operator=(const Stub&) = delete;

  bool ready() const { return ready_; }

  void use(const DnsServer& server) {
    sockaddr_in& address = state_.nsaddr_list[0];
    address.sin_family = AF_INET;
    address.sin_port = htons(server.port);
    std::memcpy(&address.sin_addr, server.address.bytes.data(), 4);
    state_.nscount = 1;
  }

  // Empty: there is no such name, or no such record.
  Result<std::vector<unsigned char>> ask(const std::string& name, int type) {
    state_.retrans = kSeconds;
    state_.retry = 2;
    std::vector<unsigned char> answer(kMostAnswer);
    const int size = ::res_nquery(&state_, name.c_str(), ns_c_in, type, answer.data(),
                                  static_cast<int>(answer.size()));
    const int why = state_.res_h_errno;
    if (size < 0 && why != HOST_NOT_FOUND && why != NO_DATA)
      return fail(Code::egress_failed, fmt::format("the DNS does not answer for {}", name));
    answer.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return answer;
  }

 private:
  struct __res_state state_{};
  bool ready_ = false;
};

std::unexpected<Error> damaged(const std::string& name) {
  return fail(Code::egress_failed, fmt::format("the DNS's answer for {} is damaged", name));
}

Result<std::vector<std::string>> ask_texts(const std::string& name,
                                           const std::optional<DnsServer>& server) {
  Stub stub;
  if (!stub.ready()) return fail(Code::unavailable, "the system's resolver cannot be set up");
  if (server) stub.use(*server);
  CARREL_TRY(const auto answer, stub.ask(name, ns_t_txt));
  if (answer.empty()) return std::vector<std::string>();
  auto texts = texts_in(answer);
  if (!texts) return damaged(name);
  return std::move(*texts);
}

Result<std::vector<IpAddress>> ask_addresses(const std::string& host, const DnsServer& server) {
  Stub stub;
  if (!stub.ready()) return fail(Code::unavailable, "the system's resolver cannot be set up");
  stub.use(server);
  std::vector<IpAddress> all;
  for (const int type : {ns_t_a, ns_t_aaaa}) {
    CARREL_TRY(const auto answer, stub.ask(host, type));
    if (answer.empty()) continue;
    const auto some = addresses_in(answer);
    if (!some) return damaged(host);
    all.insert(all.end(), some->begin(), some->end());
  }
  if (all.empty()) return fail(Code::egress_name, fmt::format("{} has no address", host));
  return all;
}

}  // namespace

Result<DnsServer> parse_dns_server(std::string_view text) {
  const Authority authority = split_authority(text);
  const auto address = parse_ip(authority.host);
  DnsServer server;
  const std::string_view port = authority.port;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), server.port);
  const bool number = port.empty() || (error == std::errc() && end == port.data() + port.size());
  if (!address || address->v6 || !number || server.port == 0) {
    return fail(Code::invalid_argument, fmt::format("a DNS server cannot be {}", text),
                "write its IPv4 address, and its port if it is not 53: 127.0.0.1:5353");
  }
  server.address = *address;
  return server;
}

async::Task<Result<std::vector<std::string>>> Dns::texts(std::string name) {
  co_return co_await aside_.ask(
      [name = std::move(name), server = server_] { return ask_texts(name, server); });
}

async::Task<Result<std::vector<IpAddress>>> DnsResolver::resolve(std::string host) {
  if (host == "localhost" || host.ends_with(".localhost"))
    co_return std::vector{IpAddress{.bytes = {127, 0, 0, 1}}};
  co_return co_await aside_.ask(
      [host = std::move(host), server = server_] { return ask_addresses(host, server); });
}

}  // namespace carrel::net
