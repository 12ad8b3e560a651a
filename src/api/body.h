// A request's body as a whole, for requests that are small.
#pragma once

#include <cstddef>
#include <string>

#include "async/task.h"
#include "base/result.h"
#include "base/secret_bytes.h"
#include "net/http.h"

namespace carrel::api {

// Thread: the exchange's shard; the body outlives the task. Errors: body_too_large; what went wrong
// with the connection.
async::Task<Result<std::string>> read_body(net::RequestBody* body, std::size_t most);

// The same, leaving no copy behind.
async::Task<Result<SecretBytes>> read_secret_body(net::RequestBody* body, std::size_t most);

}  // namespace carrel::api
