// The server: builds everything there is, serves until a signal stops it, and takes it down in
// order.
//
//   SIGTERM, SIGINT   no new connections; requests in progress get the drain time; then it returns
//   again             ends at once, exit status 130
//   SIGHUP            logs are opened and apps loaded again, and the configuration file read; an
//   app that cannot be loaded stays as it was
#pragma once

#include "server/options.h"

namespace carrel::server {

// Blocks the calling thread, which takes the process's signals. Errors: what keeps it from
// starting.
Result<void> run_server(ServerOptions options);

}  // namespace carrel::server
