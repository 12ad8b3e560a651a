#include "acme/conversation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/base64.h"
#include "base/id.h"
#include "net/http.h"

namespace carrel::acme {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr int kRounds = 20;      // that an order or a challenge is asked about
constexpr int kNonceTries = 10;  // of one request: servers may refuse good ones to test clients
constexpr std::chrono::seconds kMostPause{10};
constexpr std::chrono::hours kMostRetry{24 * 7};

Task<Result<std::string>> read_all(async::ByteSource* body, std::size_t most) {
  std::string text;
  std::array<std::byte, 16 << 10> piece;
  while (!body->finished()) {
    const std::size_t n = body->read(piece);
    text.append(reinterpret_cast<const char*>(piece.data()), n);
    if (text.size() > most) co_return fail(Code::egress_too_large, "the ACME server sent too much");
    if (n > 0 || body->finished()) continue;
    CARREL_CO_TRY_VOID(co_await body->wait());
  }
  co_return text;
}

std::string header(const net::ReplyHead& head, std::string_view wanted) {
  for (const auto& [name, value] : head.headers) {
    if (net::same_name(name, wanted)) return value;
  }
  return {};
}

// In seconds; a date is taken for none.
std::chrono::seconds retry_after(const net::ReplyHead& head) {
  const std::string text = header(head, "retry-after");
  std::uint32_t seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::min(std::chrono::seconds(seconds),
                  std::chrono::duration_cast<std::chrono::seconds>(kMostRetry));
}

std::unexpected<Error> refused(std::string_view what, const std::string& why) {
  return fail(Code::egress_failed, fmt::format("the ACME server {}: {}", what,
                                               why.empty() ? "it does not say why" : why));
}

}  // namespace

Task<Result<Conversation::Answer>> Conversation::send(net::OutgoingRequest request,
                                                      std::size_t most) {
  request.headers.emplace_back("user-agent", "carrel");
  CARREL_CO_TRY(const auto response,
                co_await caller_.send(TenantName(), std::move(request), {.response_bytes = most}));
  const net::ReplyHead& head = response->head();
  retry_after_ = acme::retry_after(head);
  if (std::string nonce = header(head, "replay-nonce"); !nonce.empty()) nonce_ = std::move(nonce);
  Answer answer{.status = head.status, .body = {}, .location = header(head, "location")};
  CARREL_CO_TRY(answer.body, co_await read_all(&response->body(), most));
  co_return answer;
}

Task<Result<void>> Conversation::fetch_nonce() {
  net::OutgoingRequest request{
      .method = "HEAD", .url = directory_->new_nonce, .headers = {}, .body = {}};
  CARREL_CO_TRY_VOID(co_await send(std::move(request), kMostMessage));
  if (nonce_.empty()) co_return fail(Code::egress_bad_response, "the ACME server gave no nonce");
  co_return Result<void>();
}

Task<Result<Conversation::Answer>> Conversation::post(net::Url url, std::string payload,
                                                      std::size_t most) {
  const std::string text = url.text();
  for (int attempt = 1;; ++attempt) {
    if (nonce_.empty()) CARREL_CO_TRY_VOID(co_await fetch_nonce());
    const std::string nonce = std::exchange(nonce_, {});
    net::OutgoingRequest request{
        .method = "POST",
        .url = url,
        .headers = {{"content-type", "application/jose+json"}},
        .body = signed_text(
            account_, {.url = text, .nonce = nonce, .account = account_url_, .payload = payload})};
    CARREL_CO_TRY(Answer answer, co_await send(std::move(request), most));
    if (answer.status < 300) co_return answer;
    const Problem problem = read_problem(answer.body);
    if (problem.type == "badNonce" && attempt < kNonceTries) continue;
    co_return refused(fmt::format("refused with status {}", answer.status), problem.text);
  }
}

// An account that there is already is given again for the same key.
Task<Result<void>> Conversation::sign_in() {
  net::OutgoingRequest request{.url = server_.directory, .headers = {}, .body = {}};
  CARREL_CO_TRY(const Answer answer, co_await send(std::move(request), kMostMessage));
  if (answer.status != 200)
    co_return refused("has no directory", fmt::format("status {}", answer.status));
  CARREL_CO_TRY(Directory directory, read_directory(answer.body, server_.directory));
  if (!directory.terms.empty() && server_.terms != Terms::agreed)
    co_return fail(Code::permission_denied,
                   fmt::format("the ACME server has terms of service: {}", directory.terms),
                   "read them, and say so: --acme-terms agreed");
  directory_ = std::move(directory);
  Json account = {{"termsOfServiceAgreed", server_.terms == Terms::agreed}};
  if (!server_.contact.empty())
    account["contact"] = Json::array({fmt::format("mailto:{}", server_.contact)});
  account_url_.clear();
  CARREL_CO_TRY(const Answer made, co_await post(directory_->new_account, account.dump()));
  if (made.location.empty())
    co_return fail(Code::egress_bad_response, "the ACME server did not say which account is ours");
  account_url_ = made.location;
  co_return Result<void>();
}

Task<void> Conversation::pause(int round) {
  const auto asked = std::max(retry_after_, std::chrono::seconds(round < 3 ? 1 : 3));
  co_await shard_.sleep_for(std::min(asked, kMostPause));
}

Task<Result<void>> Conversation::prove(net::Url url) {
  CARREL_CO_TRY(Answer answer, co_await post(url, ""));
  CARREL_CO_TRY(Authorization is, read_authorization(answer.body, url));
  if (is.state == State::valid) co_return Result<void>();
  if (!is.challenge)
    co_return fail(Code::unsupported, "the ACME server takes no proof by http-01 for this name");
  const Challenges::Open open(challenges_, is.token, key_authorization(account_, is.token));
  CARREL_CO_TRY_VOID(co_await post(*is.challenge, "{}"));
  for (int round = 0; round < kRounds; ++round) {
    co_await pause(round);
    CARREL_CO_TRY(answer, co_await post(url, ""));
    CARREL_CO_TRY(is, read_authorization(answer.body, url));
    if (is.state == State::valid) co_return Result<void>();
    if (is.state == State::invalid) co_return refused("found no proof", is.problem);
  }
  co_return fail(Code::egress_timeout, "the ACME server has not looked for the proof in time");
}

Task<Result<Order>> Conversation::finish(net::Url url, Order order, std::string request) {
  for (int round = 0; round < kRounds; ++round) {
    if (order.state == State::valid) co_return order;
    if (order.state == State::invalid) co_return refused("ended the order", order.problem);
    if (order.state == State::ready) {
      if (!order.finalize)
        co_return fail(Code::egress_bad_response, "the ACME server does not say how to finish");
      const std::string payload = Json{{"csr", to_base64url(request)}}.dump();
      CARREL_CO_TRY_VOID(co_await post(*order.finalize, payload));
    }
    co_await pause(round);
    CARREL_CO_TRY(const Answer answer, co_await post(url, ""));
    CARREL_CO_TRY(order, read_order(answer.body, url));
  }
  co_return fail(Code::egress_timeout, "the ACME server has not made the certificate in time");
}

// After a failure the next order begins with the directory and the account: they may have changed.
Task<Result<std::string>> Conversation::order(std::string host, Key key) {
  retry_after_ = {};
  auto chain = co_await order_one(std::move(host), std::move(key));
  if (!chain) account_url_.clear();
  co_return chain;
}

Task<Result<std::string>> Conversation::order_one(std::string host, Key key) {
  if (account_url_.empty()) CARREL_CO_TRY_VOID(co_await sign_in());
  CARREL_CO_TRY(std::string request, key.request(host));
  const Json wanted = {{"identifiers", {{{"type", "dns"}, {"value", host}}}}};
  CARREL_CO_TRY(const Answer answer, co_await post(directory_->new_order, wanted.dump()));
  CARREL_CO_TRY(net::Url url, net::parse_url(answer.location));
  if (server_.directory.scheme == "https" && url.scheme != "https")
    co_return fail(Code::egress_bad_response, "the ACME server named a URL without TLS");
  CARREL_CO_TRY(Order order, read_order(answer.body, url));
  for (const net::Url& each : order.authorizations) CARREL_CO_TRY_VOID(co_await prove(each));
  CARREL_CO_TRY(const Answer proven, co_await post(url, ""));
  CARREL_CO_TRY(order, read_order(proven.body, url));
  CARREL_CO_TRY(order, co_await finish(std::move(url), std::move(order), std::move(request)));
  if (!order.certificate)
    co_return fail(Code::egress_bad_response, "the ACME server does not say where to get it");
  CARREL_CO_TRY(Answer chain, co_await post(*order.certificate, "", kMostChain));
  co_return std::move(chain.body);
}

}  // namespace carrel::acme
