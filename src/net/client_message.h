// The two heads of a call: the request's, written anew by this host, and the response's, read
// strictly. Pure functions on bytes; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/caller.h"

namespace carrel::net {

// The head as it is sent: our own Host and framing, nothing that concerns a connection. Errors:
// invalid_argument (CONNECT, TRACE, a line's end in a header, a URL that is none, too large).
Result<std::string> write_request_head(const OutgoingRequest& request);

// What ends a body that is sent in chunks. Errors: invalid_argument, for a field that may not be a
// trailer or is not valid.
Result<std::string> write_last_chunk(const Fields& trailers);

// A call that may be made twice without harm, should a kept connection turn out to be closed.
bool is_repeatable(std::string_view method);

enum class BodyKind : unsigned char { none, length, chunked, until_close };

struct ResponseHead {
  ReplyHead head;  // without what concerns the connection
  BodyKind body = BodyKind::none;
  std::uint64_t length = 0;
  bool keep_alive = false;
};

// `head`: up to the empty line, as `find_head_end` found it; `method`: of the request. Statuses
// 1xx have no body and are followed by another head. Errors: egress_bad_response.
Result<ResponseHead> parse_response_head(std::string_view head, std::string_view method);

}  // namespace carrel::net
