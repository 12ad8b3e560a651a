// The parser never reads past its input, and its answers hold together.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/parser.h"

namespace carrel::net {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void try_head(std::string_view bytes) {
  const HeadEnd end = find_head_end(bytes, 0);
  if (end.state != HeadEnd::State::found) return;
  require(end.size <= bytes.size());
  const std::string_view head = bytes.substr(0, end.size);
  Request request;
  const auto framing = parse_head(head, 16, request);
  if (!framing) return;
  require(request.headers.size() <= 16);
  require(!(framing->chunked && request.content_length));
  const auto inside = [&](std::string_view view) {
    return view.empty() ||
           (view.data() >= head.data() && view.data() + view.size() <= head.data() + head.size());
  };
  for (const Header& header : request.headers) {
    require(inside(header.name) && inside(header.value));
    require(is_field_name(header.name) && is_field_value(header.value));
  }
}

// A body cut in two anywhere decodes as in one piece.
std::uint64_t decode(ChunkDecoder& chunks, std::string_view bytes) {
  std::uint64_t data = 0;
  while (!bytes.empty() && !chunks.done() && !chunks.failed()) {
    bytes.remove_prefix(chunks.skip_framing(bytes));
    const std::uint64_t n = std::min<std::uint64_t>(chunks.data_left(), bytes.size());
    if (n == 0) continue;
    chunks.take(n);
    bytes.remove_prefix(n);
    data += n;
  }
  return data;
}

void try_chunks(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::size_t cut = static_cast<unsigned char>(bytes.front()) % bytes.size();
  bytes.remove_prefix(1);
  ChunkDecoder whole, parts;
  const std::uint64_t data = decode(whole, bytes);
  const std::uint64_t front = decode(parts, bytes.substr(0, cut));
  require(front + decode(parts, bytes.substr(cut)) == data);
  require(whole.done() == parts.done() && whole.failed() == parts.failed());
  if (!whole.done()) return;
  const auto trailers = whole.trailers(), again = parts.trailers();
  require(std::ranges::equal(trailers, again, [](const Header& a, const Header& b) {
    return a.name == b.name && a.value == b.value;
  }));
  require(trailers.size() <= 64);
  for (const Header& field : trailers) {
    require(is_field_name(field.name) && is_field_value(field.value) && may_be_trailer(field.name));
  }
}

}  // namespace
}  // namespace carrel::net

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  carrel::net::try_head(bytes);
  carrel::net::try_chunks(bytes);
  return 0;
}
