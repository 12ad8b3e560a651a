// Server-sent events to a client who stays: what comes, as it comes, until the client or the server
// ends it, or the client may no longer have it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "async/event.h"
#include "async/shard.h"
#include "async/task.h"
#include "base/clock.h"
#include "net/http.h"

namespace carrel::api {

inline constexpr std::string_view kGapEvent = "event: gap\ndata: {}\n\n";

// Owner: who streams. Thread: its shard's.
class EventSource {
 public:
  virtual ~EventSource() = default;
  // Until there may be news.
  virtual async::Event& news() = 0;
  // All since the last time, each a whole event as text; it may be nothing.
  virtual async::Task<std::vector<std::string>> take() = 0;
  // Asked now and then: the error is why the client may not have more.
  virtual async::Task<Result<void>> still_allowed() = 0;
};

// Between two looks at whether the client is still there and allowed.
inline constexpr Nanos kLookEvery = std::chrono::seconds(15);

// `first`: the name of the event that says that it has begun. One named "end" gives the reason when
// the client may not have more. The arguments outlive the task.
async::Task<void> stream_events(async::Shard* shard, EventSource* source, std::string_view first,
                                net::ReplySink* reply, Nanos look_every = kLookEvery);

}  // namespace carrel::api
