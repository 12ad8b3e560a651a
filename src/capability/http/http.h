// `/http/new`: a device for calls to the outside. Each open is one call: the guest writes a request
// message (message.h), and the first read sends it and gives the response message.
//
// Only what the module was granted may be called, redirects included. Before a call leaves, all
// that the turn has read is durable. A turn that is run again is given the responses it had.
#pragma once

#include <memory>

#include "turn/turn.h"
#include "wasi/node.h"

namespace carrel::capability::http {

// For one run of a turn, which outlives it and has a state. Null: the module was granted no calls.
std::shared_ptr<wasi::Node> mount(turn::Turn& turn);

}  // namespace carrel::capability::http
