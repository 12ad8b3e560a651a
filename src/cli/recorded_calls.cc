#include "cli/recorded_calls.h"

#include <algorithm>

#include "cli/streamed_body.h"
#include "net/memory_response.h"
#include "net/whole_body.h"

namespace carrel::cli {
namespace {

constexpr std::uint64_t kMostBody = 1 << 20;  // as a case has it

bool is_kept(std::string_view header) {
  return !net::same_name(header, "set-cookie") && !net::same_name(header, "set-cookie2");
}

}  // namespace

async::Task<Result<std::unique_ptr<net::IncomingResponse>>> RecordedCalls::send(
    TenantName tenant, net::OutgoingRequest request, net::CallLimits limits) {
  app::CaseCall call{.method = request.method, .url = request.url};
  CARREL_CO_TRY_VOID(co_await gather(&request));
  if (!request.body.empty()) call.body = request.body;
  limits.response_bytes = std::min(limits.response_bytes, kMostBody);
  auto response = co_await outside_.send(std::move(tenant), std::move(request), limits);
  Result<std::string> body;
  if (response) {
    body = co_await net::read_whole(&(*response)->body());
  } else {
    body = std::unexpected(response.error());
  }
  if (!body) {
    call.error = body.error().code();
    made_.push_back(std::move(call));
    co_return std::unexpected(std::move(body).error());
  }
  const net::ReplyHead& head = (*response)->head();
  call.reply.status = head.status;
  std::ranges::copy_if(head.headers, std::back_inserter(call.reply.headers),
                       [](const auto& header) { return is_kept(header.first); });
  call.reply_body = *body;
  made_.push_back(std::move(call));
  co_return std::make_unique<net::MemoryResponse>(head, std::move(*body));
}

}  // namespace carrel::cli
