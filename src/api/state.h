// What apps keep, for their operator: values, counters, and secrets, which can be set and not read.
//
// Each request is a turn of its own: it reads one snapshot, and answers when what it saw and did is
// durable.
#pragma once

#include "api/answer.h"
#include "api/node.h"
#include "api/state_path.h"
#include "async/task.h"
#include "turn/state.h"

namespace carrel::api {

// The request has passed the guard. Of a watch, the reply has been sent when this returns. Thread:
// the shard whose services these are. The exchange and the node outlive the task.
async::Task<Answer> answer_state(turn::Services services, const Node* node,
                                 net::Exchange* exchange);

}  // namespace carrel::api
