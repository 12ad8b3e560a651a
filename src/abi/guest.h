// What guests that speak WASI share, modules and components: their file tree and streams, their
// limits, and what their end means for the turn.
#pragma once

#include <memory>
#include <optional>

#include "abi/reply_output.h"
#include "turn/turn.h"
#include "wasi/wasi.h"

namespace carrel::abi {

// What `Call::state()` points to: WASI's functions find theirs at its start.
struct GuestState {
  wasi::Wasi* wasi;
  ReplyOutput* output;
};

// For Instance::on_leave, with a GuestState: the guest has given up the shard, so what it wrote may
// go.
void send_meanwhile(void* state, wasm::Instance::Leave why) noexcept;

// When a turn's reply may leave.
Release release_of(const turn::Turn& turn);

// Everything a guest sees but its arguments and variables. `output` takes what it writes to
// descriptor 1. Both outlive it.
wasi::Environment environment_for(turn::Turn& turn, ReplyOutput& output);

wasm::CallLimits limits_of(const turn::Turn& turn);

// A guest has ended as `outcome.guest` says: closes its files, and either fills in the reply that
// is held or still to be sent, or the error.
void settle(const turn::Turn& turn, wasi::Wasi& wasi, std::unique_ptr<ReplyOutput> output,
            turn::Outcome& outcome);

}  // namespace carrel::abi
