#include "cli/canned_calls.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/expectation.h"
#include "cli/streamed_body.h"
#include "net/memory_response.h"

namespace carrel::cli {
namespace {

std::string name_of(std::string_view method, const net::Url& url) {
  return fmt::format("{} {}", method, url.text());
}

// Empty: it is the call that was expected.
std::string difference(const app::CaseCall& expected, const net::OutgoingRequest& made) {
  const std::string wanted = name_of(expected.method, expected.url);
  const std::string name = name_of(made.method, made.url);
  if (wanted != name) {
    return fmt::format("another call to the outside was expected:\n- {}\n+ {}", wanted, name);
  }
  for (const auto& [field, value] : expected.headers) {
    const auto found = std::ranges::find_if(
        made.headers, [&](const auto& header) { return net::same_name(header.first, field); });
    const std::string there = found == made.headers.end() ? "(none)" : found->second;
    if (there == value) continue;
    return fmt::format("the header {} of the call {} differs:\n- {}\n+ {}", field, name, value,
                       there);
  }
  if (expected.body && *expected.body != made.body) {
    return fmt::format("the body of the call {} differs:\n{}", name,
                       line_difference(*expected.body, made.body));
  }
  return {};
}

}  // namespace

async::Task<Result<std::unique_ptr<net::IncomingResponse>>> CannedCalls::send(
    TenantName, net::OutgoingRequest request, net::CallLimits) {
  CARREL_CO_TRY_VOID(co_await gather(&request));
  if (next_ == expected_.size()) {
    unexpected_.push_back(fmt::format("the case has no [[http]] for a call to the outside:\n+ {}",
                                      name_of(request.method, request.url)));
    co_return fail(Code::egress_failed, "the test case has no answer to this call");
  }
  const app::CaseCall& call = expected_[next_++];
  if (auto differs = difference(call, request); !differs.empty()) {
    unexpected_.push_back(std::move(differs));
    co_return fail(Code::egress_failed, "the test case expects another call");
  }
  if (call.error) co_return fail(*call.error, "the test case has it fail");
  co_return std::make_unique<net::MemoryResponse>(call.reply, call.reply_body);
}

std::vector<std::string> CannedCalls::missing() const {
  std::vector<std::string> texts;
  for (std::size_t i = next_; i < expected_.size(); ++i) {
    texts.push_back(fmt::format("a call to the outside was expected and not made:\n- {}",
                                name_of(expected_[i].method, expected_[i].url)));
  }
  return texts;
}

}  // namespace carrel::cli
