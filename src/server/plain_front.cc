#include "server/plain_front.h"

#include <fmt/format.h>

#include "net/authority.h"

namespace carrel::server {
namespace {

constexpr std::uint16_t kHttps = 443;

}  // namespace

async::Task<void> PlainFront::handle(net::Exchange& exchange) {
  const net::Request& request = exchange.request;
  if (request.path.starts_with(acme::kChallengePath)) {
    const auto answer = challenges_.answer(request.path.substr(acme::kChallengePath.size()));
    const Error none(Code::not_found);
    net::ReplyHead head = net::problem_head(none);
    if (answer) head = {.headers = {{"content-type", "application/octet-stream"}}};
    (void)co_await exchange.reply.send(std::move(head),
                                       answer ? *answer : net::problem_body(none, exchange.id));
    co_return;
  }
  const auto host = net::split_authority(request.host).host;
  const Error nowhere(Code::bad_request);
  if (host.empty() || !request.target.starts_with('/')) {
    (void)co_await exchange.reply.send(net::problem_head(nowhere),
                                       net::problem_body(nowhere, exchange.id));
    co_return;
  }
  const std::string port = port_ == kHttps ? "" : fmt::format(":{}", port_);
  const std::string to = fmt::format("https://{}{}{}", host, port, request.target);
  (void)co_await exchange.reply.send({.status = 308, .headers = {{"location", to}}}, "");
}

}  // namespace carrel::server
