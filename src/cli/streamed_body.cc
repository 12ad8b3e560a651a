#include "cli/streamed_body.h"

#include "net/whole_body.h"

namespace carrel::cli {

async::Task<Result<void>> gather(net::OutgoingRequest* request) {
  constexpr std::size_t kMost = 1 << 20;
  if (!request->stream) co_return Result<void>();
  CARREL_CO_TRY(request->body,
                co_await net::read_whole(request->stream->source, kMost,
                                         Error(Code::invalid_argument,
                                               "the body of a call in a test case has at most 1 "
                                               "MiB")));
  if (request->stream->trailers != nullptr) request->trailers = *request->stream->trailers;
  request->stream.reset();
  co_return Result<void>();
}

}  // namespace carrel::cli
