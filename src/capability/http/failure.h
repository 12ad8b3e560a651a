// A call that failed: what the guest is told, and what its owner reads in the log.
#pragma once

#include <string_view>

#include "base/error.h"
#include "net/caller.h"
#include "turn/turn.h"
#include "wasi/errno.h"

namespace carrel::capability::http {

struct Failure {
  wasi::Errno number;
  Error error;
};

// An error of a Caller or of the output gate. Pure; any thread.
Failure failure_of(Error error);

// A call that no grant covers, with the grant that would.
Failure not_granted(const net::OutgoingRequest& request);

// One line of the guest's log, without what follows the host in a URL, and without secrets the
// turn was told. `what`: "POST https://rates.example.com".
void log_failure(const turn::Turn& turn, std::string_view what, const Error& error);

// "POST https://rates.example.com".
std::string name_of(const net::OutgoingRequest& request);

}  // namespace carrel::capability::http
