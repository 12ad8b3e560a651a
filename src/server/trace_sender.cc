#include "server/trace_sender.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "async/pause.h"
#include "server/otlp.h"
#include "tenant/path.h"

namespace carrel::server {
namespace {

using async::Task;

constexpr std::chrono::milliseconds kEach{500};
constexpr std::chrono::seconds kLongest{5};  // for one request
constexpr std::size_t kAtOnce = 128;         // spans: about a millisecond's work
constexpr std::uint64_t kMostAnswer = 64 << 10;

Instant now() { return std::chrono::steady_clock::now(); }

}  // namespace

TraceSender::TraceSender(async::Shard& shard, Collector collector, net::ClientOptions calls,
                         std::string version, const Clock& clock)
    : shard_(shard),
      collector_(std::move(collector)),
      version_(std::move(version)),
      tracer_({.ratio = collector_.ratio}, clock),
      client_(shard, std::move(calls)) {}

void TraceSender::start() {
  loop_ = loop();
  loop_.start();
}

Task<void> TraceSender::loop() {
  for (;;) {
    co_await shard_.sleep_for(kEach);
    if (tracer_.waiting() > 0) co_await send_waiting(Instant::max());
  }
}

Task<void> TraceSender::flush(Nanos bound) {
  loop_ = {};
  co_await send_waiting(now() + bound);
}

Task<void> TraceSender::send_waiting(Instant end) {
  co_await send_taken(end);  // what was under way when `flush` ended it
  taken_ = tracer_.take();
  done_ = 0;
  co_await send_taken(end);
}

Task<void> TraceSender::send_taken(Instant end) {
  auto& figures = tracer_.figures();
  while (done_ < taken_.size()) {
    const auto some = std::span(taken_).subspan(done_, std::min(kAtOnce, taken_.size() - done_));
    const Nanos longest = std::min<Nanos>(kLongest, end - now());
    const auto sent = longest > Nanos() ? co_await send(otlp_json(some, version_), longest)
                                        : Result<void>(fail(Code::egress_timeout));
    (sent ? figures.sent : figures.failed).add(some.size());
    done_ += some.size();
    co_await async::pause(shard_);
  }
}

Task<Result<void>> TraceSender::send(std::string body, Nanos longest) {
  net::OutgoingRequest request{.method = "POST",
                               .url = collector_.url,
                               .headers = collector_.headers,
                               .body = std::move(body)};
  request.headers.emplace_back("content-type", "application/json");
  net::CallLimits limits{.total = std::chrono::ceil<std::chrono::milliseconds>(longest),
                         .response_bytes = kMostAnswer};
  limits.connect = std::min(limits.connect, limits.total);
  CARREL_CO_TRY(const auto response,
                co_await client_.send(tenant::kNode, std::move(request), limits));
  const int status = response->head().status;
  if (status < 200 || status > 299)
    co_return fail(Code::egress_bad_response, fmt::format("the collector answered {}", status));
  // To the end, so that the connection can be kept.
  std::array<std::byte, 4096> said;
  auto& rest = response->body();
  while (!rest.finished()) {
    if (rest.read(said) > 0 || rest.finished()) continue;
    CARREL_CO_TRY_VOID(co_await rest.wait());
  }
  co_return Result<void>();
}

}  // namespace carrel::server
