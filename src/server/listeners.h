// The listeners of a server: for its apps, for the /v1 API, for hook points; and what these mean
// for guests' calls.
//
// Called while the server starts, before its shards run. They stop with their shards.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace carrel::server {

struct Graph;

// Each gives the URL to tell people. Errors: those of the address; of the certificates.
Result<std::string> listen_for_apps(Graph& graph);
Result<std::string> listen_for_admin(Graph& graph);  // empty: there is none
// Beside one with TLS. Empty: nobody asked for it.
Result<std::string> listen_without_tls(Graph& graph);
// Where applications call hook points, on every shard. Empty: there are none, and nobody asked.
Result<std::string> listen_for_hooks(Graph& graph);

// Certificates that could not be used, for the log.
void say_problems(Graph& graph, const std::vector<Error>& problems);

// After all of them are there: none of them may be called by a guest. Errors: those of the
// certificates that are believed.
Result<void> allow_calls(Graph& graph);

// After them as well. Errors: those of the certificates.
Result<void> trace(Graph& graph);

}  // namespace carrel::server
