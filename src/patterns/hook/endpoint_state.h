// What is known of an endpoint: since when it fails, whether it is still told, its last attempts.
//
//   Kind::delivery, store "endpoint", name: its binding's lane -> JSON
//
// It is written in the commits that settle its deliveries. The attempts that are kept say when, how
// long, and what came of it; never what was sent or answered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "store/transaction.h"

namespace carrel::hook {

inline constexpr std::size_t kMostNoted = 50;

struct AttemptNote {
  std::uint64_t at = 0;  // milliseconds since 1970, when it ended
  std::string id;        // the event's
  unsigned attempt = 0;
  int status = 0;  // 0: it did not answer
  std::uint64_t millis = 0;
  std::string cause;  // empty: it was delivered
};

struct EndpointState {
  std::uint64_t failing_since = 0;  // 0: the last attempt went well
  std::uint64_t disabled = 0;       // since when; 0: it is told
  std::string why;                  // it is disabled
  std::vector<AttemptNote> notes;   // the newest first
};

inline const store::Place kEndpoints{.kind = store::Kind::delivery, .store = "endpoint"};

std::string encode(const EndpointState& state);
Result<EndpointState> decode_endpoint(std::string_view record);  // Errors: data_corrupt
std::string encode(const AttemptNote& note);
Result<AttemptNote> decode_note(std::string_view text);  // Errors: data_corrupt

// Whether the endpoint is disabled by it now. A status of 410 (gone) does so at once; failures do
// when there has been nothing else for `disable_after` milliseconds.
bool add_note(EndpointState& state, AttemptNote note, std::uint64_t disable_after);

// An absent one is a new one's. The transaction outlives the task.
async::Task<Result<EndpointState>> read_endpoint(store::Transaction* transaction, std::string lane);

}  // namespace carrel::hook
