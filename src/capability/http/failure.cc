#include "capability/http/failure.h"

#include <fmt/format.h>

#include <utility>

#include "turn/scrub.h"
#include "turn/state.h"

namespace carrel::capability::http {
namespace {

using wasi::Errno;

constexpr std::size_t kLongestName = 256;  // of a call in a line of the log

Errno errno_of(Code code) {
  switch (code) {
    case Code::invalid_argument:
      return Errno::inval;
    case Code::egress_denied:
      return Errno::acces;
    case Code::egress_address:
      return Errno::perm;
    case Code::egress_failed:
      return Errno::hostunreach;
    case Code::egress_name:
      return Errno::noent;
    case Code::egress_refused:
      return Errno::connrefused;
    case Code::egress_timeout:
      return Errno::timedout;
    case Code::egress_tls:
      return Errno::connaborted;
    case Code::egress_closed:
      return Errno::connreset;
    case Code::egress_bad_response:
      return Errno::proto;
    case Code::too_many_requests:
      return Errno::dquot;
    case Code::egress_too_large:
      return Errno::msgsize;
    default:
      return Errno::io;
  }
}

std::string origin_of(const net::Url& url) { return url.scheme + "://" + url.authority(); }

}  // namespace

std::string name_of(const net::OutgoingRequest& request) {
  return (request.method + " " + origin_of(request.url)).substr(0, kLongestName);
}

Failure failure_of(Error error) {
  const Errno number = errno_of(error.code());
  if (error.code() == Code::egress_address) {
    error = Error(Code::egress_address, error.message(),
                  "if it is meant to be called, start the server with --allow-egress and the "
                  "address or its range");
  }
  return {.number = number, .error = std::move(error)};
}

Failure not_granted(const net::OutgoingRequest& request) {
  return {.number = Errno::acces,
          .error = Error(Code::egress_denied, "no grant of the module covers it",
                         fmt::format("if it may be called, add \"{}\" to `http` in its `grants`",
                                     name_of(request)))};
}

void log_failure(const turn::Turn& turn, std::string_view what, const Error& error) {
  std::string line = fmt::format("/http/new: {}: {}", what, error.message());
  if (!error.help().empty()) line += fmt::format(" ({})", error.help());
  turn.log.line(turn.module, turn.id, turn::scrub(line, turn.state->told_secrets));
}

}  // namespace carrel::capability::http
