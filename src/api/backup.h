// A backup of the store while it is in use: POST /v1/store:backup {"folder": "/backup/monday"}.
//
// The folder is one of the node's, and is made by it: whoever may operate the node may write
// wherever it may, so nothing that exists is touched.
#pragma once

#include <string>
#include <string_view>

#include "api/answer.h"
#include "async/task.h"
#include "base/result.h"

namespace carrel::api {

struct Call;

// What a request asks for. Errors: invalid_argument that says what is wrong.
Result<std::string> read_backup_folder(std::string_view body);

// Answers when the backup is on the disk; one whose client has gone is made nevertheless.
async::Task<Result<Answer>> back_up(Call* call);

}  // namespace carrel::api
