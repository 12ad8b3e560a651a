// What apps keep, for their operator: values, counters, and secrets, which can be set and not read.
//
// Each request is a turn of its own: it reads one snapshot, and answers when what it saw and did is
// durable.
#pragma once

#include "api/answer.h"
#include "api/node.h"
#include "api/state_path.h"
#include "async/task.h"
#include "store/sealer.h"
#include "store/store.h"
#include "turn/output_gate.h"

namespace carrel::api {

// Of the shard that the API is on; they outlive its requests.
struct StateServices {
  store::ShardStore* store = nullptr;
  turn::OutputGate* gate = nullptr;
  const store::Sealer* sealer = nullptr;
};

// The request has passed the guard. The exchange and the node outlive the task.
async::Task<Answer> answer_state(StateServices services, const Node* node, net::Exchange* exchange);

}  // namespace carrel::api
