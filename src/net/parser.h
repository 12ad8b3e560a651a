// A strict parser of HTTP/1.x request heads and chunked bodies (RFC 9112): pure functions on bytes.
//
// What two readers could understand differently is refused, not repaired: that is how requests are
// smuggled. Nothing is copied and, once `Request::headers` has grown, nothing is allocated. Any
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace carrel::net {

struct HeadEnd {
  enum class State : unsigned char { incomplete, found, malformed };
  State state;
  std::size_t size = 0;  // of the head, its empty line included
};

// Where the head at the front of `bytes` ends. The first `seen` bytes were searched before and held
// no end.
HeadEnd find_head_end(std::string_view bytes, std::size_t seen);

// How the connection goes on after the head.
struct Framing {
  bool chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;
};

// Fills what the head says into `request` (views into `head`). Precondition: `find_head_end` found
// `head`. Errors: bad_request, headers_too_large (too many), version_not_supported, not_implemented
// (CONNECT), expectation_failed.
Result<Framing> parse_head(std::string_view head, std::size_t max_headers, Request& request);

// What may stand in a header, ours included.
bool is_field_name(std::string_view text);
bool is_field_value(std::string_view text);

// What may follow a body (RFC 9110, 6.5.1): nothing that says how the message is framed, where it
// goes, who sent it, or how its content is to be read, for that was decided before.
bool may_be_trailer(std::string_view name);

// Whether a field's comma-separated list names `option`.
bool has_option(std::string_view list, std::string_view option);

// The framing of a chunked body, and the trailers behind it.
class ChunkDecoder {
 public:
  // Consumes framing at the front of `bytes` until data or the end is reached, or no byte is left.
  // Gives the number of bytes consumed.
  std::size_t skip_framing(std::string_view bytes);

  std::uint64_t data_left() const { return phase_ == Phase::data ? left_ : 0; }
  void take(std::uint64_t bytes);  // precondition: at most `data_left()`
  bool done() const { return phase_ == Phase::done; }
  bool failed() const { return phase_ == Phase::failed; }
  // None before it is done. Views into this.
  std::vector<Header> trailers() const;

 private:
  enum class Phase : unsigned char {
    size,
    extension,
    size_lf,
    data,
    data_cr,
    data_lf,
    trailer_start,
    trailer_name,
    trailer_value,
    trailer_lf,
    end_lf,
    done,
    failed
  };
  Phase step(unsigned char c);
  Phase size_step(unsigned char c);
  Phase trailer_step(unsigned char c);
  bool begin_trailer();

  Phase phase_ = Phase::size;
  unsigned digits_ = 0;
  std::uint64_t left_ = 0;
  std::size_t line_ = 0;      // bytes of this extension; where this trailer is in `trailers_`
  std::size_t overhead_ = 0;  // bytes of all extensions and trailers
  unsigned trailer_count_ = 0;
  std::string trailers_;  // lines "name:value\n"
};

}  // namespace carrel::net
