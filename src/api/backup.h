// A backup of the store while it is in use: POST /v1/store:backup {"folder": "/backup/monday"}.
//
// The folder is one of the node's, and is made by it: whoever has the token may write wherever the
// node may, so nothing that exists is touched.
#pragma once

#include <string_view>

#include "api/answer.h"
#include "async/task.h"
#include "turn/state.h"

namespace carrel::api {

inline constexpr std::string_view kBackupPath = "/v1/store:backup";

// What a request asks for. Errors: invalid_argument that says what is wrong.
Result<std::string> read_backup_folder(std::string_view body);

// The request has passed the guard. Answers when the backup is on the disk; one whose client has
// gone is made nevertheless. Thread: the shard whose services these are. The exchange outlives the
// task.
async::Task<Answer> answer_backup(turn::Services services, net::Exchange* exchange);

}  // namespace carrel::api
