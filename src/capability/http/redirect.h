// Redirects: where a response sends a call, and what is left of the request on the way.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/caller.h"

namespace carrel::capability::http {

// The Location of a response that asks for another call; nothing: it is an answer.
std::optional<std::string> redirect_of(const net::ReplyHead& head);

// The next request. 303, and 301 or 302 after a POST, make it a GET without a body. Another scheme,
// host or port is not told credentials: only headers that say what the body is and what is
// understood go along. Pure; any thread. Errors: invalid_argument for a location that is no URL.
Result<net::OutgoingRequest> follow(const net::OutgoingRequest& made, int status,
                                    std::string_view location);

}  // namespace carrel::capability::http
