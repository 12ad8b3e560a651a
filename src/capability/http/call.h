// A call on its way: it waits until it may leave, is sent, and follows redirects within the grants.
#pragma once

#include <memory>
#include <optional>

#include "async/task.h"
#include "capability/http/failure.h"
#include "net/caller.h"
#include "tenant/call_place.h"
#include "turn/turn.h"

namespace carrel::capability::http {

inline constexpr int kMostRedirects = 5;

// Owner: the open file. Thread: the shard's.
struct Call {
  turn::Turn& turn;
  net::OutgoingRequest request;  // changed by redirects
  std::unique_ptr<net::IncomingResponse> response = nullptr;
  std::optional<Failure> failure = std::nullopt;
  std::optional<tenant::CallPlace> place = std::nullopt;  // among its tenant's calls
};

// Ends with `response` or `failure` set. `call` outlives it, and has a turn that has a client.
// Destroying it cancels the call.
async::Task<void> make(Call* call);

// Waits for more of the response's body. Ends with `failure` set if there is none to come.
async::Task<void> receive(Call* call);

}  // namespace carrel::capability::http
