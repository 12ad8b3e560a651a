#include "embed/local_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/percent.h"
#include "embed/call.h"
#include "net/whole_body.h"

namespace carrel::embed {
namespace {

using async::Task;
using Json = nlohmann::json;
using std::chrono::milliseconds;

// The server ends a call by the point's deadline; this is for one that does not answer at all.
constexpr milliseconds kPatience{60'000};
constexpr milliseconds kSlack{1'000};
constexpr std::size_t kMostAnswer = 4 << 20;
constexpr std::string_view kOutput = R"({"output":)";
constexpr std::string_view kRuns = R"(,"runs":[)";

std::unexpected<Failure> not_understood(const std::string& socket) {
  return failed("unavailable", fmt::format("what answers at {} is no carrel server", socket),
                "the socket is the one of `carrel serve --data-socket PATH`");
}

std::string member(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// A problem (RFC 9457), whose further members are the details.
Failure failure_in(const Json& json) {
  const std::string detail = member(json, "detail");
  Failure failure(member(json, "code"), detail.empty() ? member(json, "title") : detail,
                  member(json, "help"));
  Json details = Json::object();
  for (const char* name : {"binding", "problems", "runs"}) {
    if (const auto found = json.find(name); found != json.end()) details[name] = *found;
  }
  failure.details = details.dump(-1, ' ', false, Json::error_handler_t::replace);
  return failure;
}

std::string query_of(const CallWanted& wanted) {
  std::string query;
  if (!wanted.tenant.empty()) query = "?tenant=" + percent_encode(wanted.tenant);
  if (wanted.timeout > Nanos::zero()) {
    query += fmt::format("{}timeout_ms={}", query.empty() ? '?' : '&',
                         std::chrono::duration_cast<milliseconds>(wanted.timeout).count());
  }
  return query;
}

}  // namespace

struct LocalServer::Asked {
  std::string method, target, body = {};
  milliseconds patience = kPatience;
};

struct LocalServer::Answered {
  int status = 0;
  std::string body;
};

namespace {

struct Exchange {
  net::Client& client;
  net::OutgoingRequest request;
  milliseconds patience;
  int status = 0;
  Result<std::string> body;
};

Task<void> exchange(Exchange* exchange) {
  auto response = co_await exchange->client.send(
      TenantName("local"), std::move(exchange->request),
      {.connect = milliseconds(5'000), .total = exchange->patience, .response_bytes = kMostAnswer});
  if (!response) {
    exchange->body = std::unexpected(response.error());
    co_return;
  }
  exchange->status = (*response)->head().status;
  exchange->body = co_await net::read_whole(&(*response)->body(), kMostAnswer);
}

}  // namespace

Outcome<LocalServer::Answered> LocalServer::ask(Lane& lane, Asked asked) const {
  Exchange made{.client = lane.client_of(place_.socket),
                .request = {.method = std::move(asked.method),
                            .url = {.scheme = "http",
                                    .host = place_.app,
                                    .port = 80,
                                    .target = std::move(asked.target)},
                            .headers = {{"content-type", "application/json"}},
                            .body = std::move(asked.body)},
                .patience = asked.patience,
                .body = {}};
  if (place_.token.size() > 0) {
    std::string bearer;
    bearer.reserve(kNeverInline + place_.token.size());
    bearer.append("Bearer ").append(place_.token.view());
    made.request.headers.emplace_back("authorization", std::move(bearer));
  }
  lane.shard().run_until_done(exchange(&made));
  if (made.body) return Answered{.status = made.status, .body = std::move(*made.body)};
  const Error& error = made.body.error();
  if (error.code() == Code::invalid_argument) return std::unexpected(Failure(error));
  if (error.code() == Code::egress_timeout)
    return failed(kLate, fmt::format("the server at {} does not answer in time", place_.socket));
  return failed("unavailable", error.message(),
                "start the server: carrel serve --data-socket PATH");
}

Outcome<Reply> LocalServer::call(Lane& lane, const CallWanted& wanted) const {
  Asked asked{.method = "POST",
              .target = "/v1/hooks/" + percent_encode(wanted.point) + ":invoke" + query_of(wanted),
              .body = std::string(wanted.input)};
  if (wanted.timeout > Nanos::zero()) {
    asked.patience =
        std::min(kPatience, std::chrono::duration_cast<milliseconds>(wanted.timeout) + kSlack);
  }
  CARREL_TRY(const Answered answered, ask(lane, std::move(asked)));
  const std::string_view body = answered.body;
  if (answered.status == 200) {
    // The output as the modules wrote it. Within a text this cannot stand: quotes are escaped
    // there.
    const auto runs = body.rfind(kRuns);
    const auto end = body.rfind('}');
    if (!body.starts_with(kOutput) || runs == body.npos || end == body.npos || end < runs)
      return not_understood(place_.socket);
    return Reply{.output = std::string(body.substr(kOutput.size(), runs - kOutput.size())),
                 .runs = {},
                 .details = fmt::format("{{{}}}", body.substr(runs + 1, end - runs - 1))};
  }
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || member(json, "code").empty()) return not_understood(place_.socket);
  return std::unexpected(failure_in(json));
}

// A body that is the output as it is, or a problem.
Outcome<Reply> LocalServer::ask_whole(Lane& lane, Asked asked) const {
  CARREL_TRY(Answered answered, ask(lane, std::move(asked)));
  const Json json = Json::parse(answered.body, nullptr, false);
  if (!json.is_object()) return not_understood(place_.socket);
  if (answered.status >= 300) return std::unexpected(failure_in(json));
  return Reply{.output = std::move(answered.body), .runs = {}, .details = "{}"};
}

Outcome<Reply> LocalServer::emit(Lane& lane, const CallWanted& wanted) const {
  Asked asked{.method = "POST",
              .target = "/v1/hooks/" + percent_encode(wanted.point) + ":emit" +
                        (wanted.tenant.empty() ? "" : "?tenant=" + percent_encode(wanted.tenant)),
              .body = std::string(wanted.input)};
  return ask_whole(lane, std::move(asked));
}

Outcome<Reply> LocalServer::points(Lane& lane) const {
  return ask_whole(lane, {.method = "GET", .target = "/v1/hooks"});
}

}  // namespace carrel::embed
