// The environment and arguments of a command: a request as CGI/1.1 has it, any other event as
// CloudEvents.
//
// Source: RFC 3875, and deislabs/wagi 0.8.1 for what it adds (X_MATCHED_ROUTE, X_FULL_URL,
// X_RAW_PATH_INFO, arguments from the query). `Authorization`, `Connection` and `Proxy` never
// become variables.
#pragma once

#include <string>
#include <string_view>

#include "turn/turn.h"
#include "wasi/strings.h"

namespace carrel::abi {

// "NAME=value" of the event first, then of the module: where names are the same, the event's is
// found.
wasi::Strings environment_of(const turn::Turn& turn);

// By the module's template, else the path and the query's items; for other events the module's
// name.
wasi::Strings arguments_of(const turn::Turn& turn);

}  // namespace carrel::abi
