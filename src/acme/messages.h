// What an ACME server says (RFC 8555, section 7.1), read strictly. Pure; any thread.
//
// URLs are those of the server's own scheme: an https server that names an http URL is not
// followed. Errors of all: egress_bad_response saying what is wrong.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/url.h"

namespace carrel::acme {

inline constexpr std::size_t kMostMessage = 64 << 10;  // bytes
inline constexpr std::size_t kMostChain = 128 << 10;

struct Directory {
  net::Url new_nonce, new_account, new_order;
  std::string terms;  // of service, to be agreed to; empty: there are none
};
Result<Directory> read_directory(std::string_view text, const net::Url& from);

enum class State { pending, ready, processing, valid, invalid };

struct Order {
  State state = State::pending;
  std::vector<net::Url> authorizations;
  std::optional<net::Url> finalize, certificate;
  std::string problem;
};
Result<Order> read_order(std::string_view text, const net::Url& from);

struct Authorization {
  State state = State::pending;
  // Of the http-01 challenge; nothing: it is not offered.
  std::optional<net::Url> challenge;
  std::string token;
  std::string problem;
};
Result<Authorization> read_authorization(std::string_view text, const net::Url& from);

// What went wrong, in the server's words: "rateLimited: too many certificates". Printable.
struct Problem {
  std::string type;  // after "urn:ietf:params:acme:error:"
  std::string text;
};
Problem read_problem(std::string_view text);

}  // namespace carrel::acme
