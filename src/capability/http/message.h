// What a guest writes to ask for a call: an HTTP request message whose target is a whole URL.
//
//   POST https://rates.example.com/v1?x HTTP/1.1      the version may be left out
//   Accept: application/json
//                                                     then the body, to the end of what is written
//   {"amount": 1}
//
// Lines end with LF or CRLF. With `TE: trailers`, a response without a length is read in chunks,
// its trailers behind them. Whether the call may be made is not looked at here.
#pragma once

#include <string_view>

#include "net/caller.h"

namespace carrel::capability::http {

// Pure; any thread. Errors: invalid_argument, with what is wrong.
Result<net::OutgoingRequest> read_request(std::string_view message);

}  // namespace carrel::capability::http
