// What a guest writes to ask for a call: an HTTP request message whose target is a whole URL.
//
//   POST https://rates.example.com/v1?x HTTP/1.1      the version may be left out
//   Accept: application/json
//                                                     then the body, to the end of what is written
//   {"amount": 1}
//
// Lines end with LF or CRLF. With `Transfer-Encoding: chunked`, the body is written in chunks, its
// trailers behind them, and a length is only what is said to the other side. With `TE: trailers`, a
// response without a length is read in chunks as well. Whether the call may be made is not looked
// at here.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "net/caller.h"

namespace carrel::capability::http {

// Pure; any thread. Errors: invalid_argument, with what is wrong.
Result<net::OutgoingRequest> read_request(std::string_view message);

// Whether the message has come to its body.
bool has_head(std::string_view message);

// Whether the body is written in chunks.
bool has_chunks(const net::OutgoingRequest& request);

// What a body that is streamed has, if the guest says so. Errors: invalid_argument.
Result<std::optional<std::uint64_t>> length_of(const net::OutgoingRequest& request);

}  // namespace carrel::capability::http
