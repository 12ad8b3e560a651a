// The head of a CGI reply, read from what a guest prints: header lines, an empty line, then the
// body.
//
// Rules (CGI/1.1 as wagi serves it, reference deislabs/wagi 0.8.1): CR is ignored, a line is split
// at its first ':', names are lower-cased, a name given twice keeps its last value (`set-cookie`
// keeps all). `status: CODE [reason]` sets the status, `location` alone means 302, and one of
// status, location and content-type must be there. The host frames the reply itself: connection
// fields are dropped.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace carrel::abi {

inline constexpr std::size_t kMaxHead = 64 << 10;  // bytes
inline constexpr std::size_t kMaxHeaders = 128;    // those given twice count twice

struct HeadEnd {
  std::size_t head;  // bytes before the empty line
  std::size_t body;  // where the body starts
};

// Where the head ends, or nothing yet. `seen` bytes were searched before without success.
std::optional<HeadEnd> find_head_end(std::string_view output, std::size_t seen);

// Errors: guest_bad_reply with what is wrong.
Result<net::ReplyHead> parse_head(std::string_view head);

}  // namespace carrel::abi
