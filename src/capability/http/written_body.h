// A request's body as the guest writes it: as it is, to the end of what is written; or in chunks
// (RFC 9112, 7.1), to the last one and the trailers behind it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"
#include "net/parser.h"

namespace carrel::capability::http {

// Value type. Thread: the shard's.
class WrittenBody {
 public:
  explicit WrittenBody(bool in_chunks) {
    if (in_chunks) chunks_.emplace();
  }

  bool in_chunks() const { return chunks_.has_value(); }
  // Adds to `body` what of `written` is the body's. Bytes that were used: all, unless it has ended
  // or is malformed.
  std::size_t take(std::string_view written, std::string& body);
  bool ended() const { return chunks_ && chunks_->done(); }
  bool malformed() const { return chunks_ && chunks_->failed(); }
  // Once it has ended.
  net::Fields trailers() const;

 private:
  std::optional<net::ChunkDecoder> chunks_;
};

}  // namespace carrel::capability::http
