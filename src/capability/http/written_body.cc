#include "capability/http/written_body.h"

#include <algorithm>

namespace carrel::capability::http {

std::size_t WrittenBody::take(std::string_view written, std::string& body) {
  if (!chunks_) {
    body += written;
    return written.size();
  }
  std::size_t used = 0;
  while (true) {
    used += chunks_->skip_framing(written.substr(used));
    const std::size_t size = std::min<std::uint64_t>(chunks_->data_left(), written.size() - used);
    if (size == 0) return used;
    body += written.substr(used, size);
    chunks_->take(size);
    used += size;
  }
}

net::Fields WrittenBody::trailers() const {
  net::Fields fields;
  if (!chunks_) return fields;
  for (const net::Header& field : chunks_->trailers()) fields.emplace_back(field.name, field.value);
  return fields;
}

}  // namespace carrel::capability::http
