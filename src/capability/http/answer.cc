#include "capability/http/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace carrel::capability::http {
namespace {

constexpr std::string_view kChunked = "Transfer-Encoding: chunked\r\n";
constexpr std::size_t kChunk = 16 << 10;

std::string lines_of(const net::Fields& fields) {
  std::string text;
  for (const auto& [name, value] : fields) text += fmt::format("{}: {}\r\n", name, value);
  return text;
}

std::string head_text(const net::ReplyHead& head, std::string_view more) {
  return fmt::format("HTTP/1.1 {} \r\n{}{}\r\n", head.status, lines_of(head.headers), more);
}

// Whether trailers may follow the response, which no length announces.
bool has_chunks(const net::OutgoingRequest& request, const net::ReplyHead& head) {
  return request.takes_trailers && std::ranges::none_of(head.headers, [](const auto& header) {
           return net::same_name(header.first, "content-length");
         });
}

}  // namespace

void Answer::arrive(const net::OutgoingRequest& request, net::IncomingResponse& response) {
  response_ = &response;
  if (record_->head.empty()) {
    record_->chunked = has_chunks(request, response.head());
    calls_.keep_head(*record_, head_text(response.head(), record_->chunked ? kChunked : ""));
  }
  see_end();
}

void Answer::fail(wasi::Errno number) {
  failed_ = true;
  if (record_ == nullptr) return;
  record_->failed = true;
  record_->failure = static_cast<int>(number);
  record_->complete = true;
}

// A body that has ended is whole, and its trailers are there.
void Answer::see_end() {
  if (record_->complete || !response_->body().finished()) return;
  record_->complete = true;
  calls_.keep_trailers(*record_, lines_of(response_->trailers()));
}

bool Answer::has_text() const {
  return kept_ != nullptr && (position_ < kept_->head.size() || chunk_at_ < chunk_.size());
}

std::size_t Answer::read(wasi::Buffers into) {
  std::size_t copied = 0;
  for (const auto& buffer : into) {
    const std::size_t here = read_part(buffer);
    copied += here;
    if (here < buffer.size()) break;
  }
  return copied;
}

std::size_t Answer::read_part(std::span<std::byte> into) {
  if (kept_ == nullptr) return 0;
  if (kept_->chunked && position_ >= kept_->head.size()) return read_chunk(into);
  const std::size_t copied = read_kept(into);
  return copied > 0 ? copied : read_body(into);
}

std::size_t Answer::read_kept(std::span<std::byte> into) {
  std::string_view part = kept_->head;
  std::size_t from = position_;
  if (record_ == nullptr && from >= part.size()) {
    from -= part.size();
    part = kept_->body;
  }
  if (from >= part.size()) return 0;
  part = part.substr(from, into.size());
  std::memcpy(into.data(), part.data(), part.size());
  position_ += part.size();
  return part.size();
}

std::size_t Answer::read_body(std::span<std::byte> into) {
  if (response_ == nullptr || failed_) return 0;
  const std::size_t size = response_->body().read(into);
  const std::string_view bytes(reinterpret_cast<const char*>(into.data()), size);
  if (size > 0) calls_.keep(*record_, bytes);
  see_end();
  return size;
}

std::size_t Answer::read_chunk(std::span<std::byte> into) {
  if (chunk_at_ == chunk_.size() && !last_chunk_) next_chunk();
  const std::size_t size = std::min(into.size(), chunk_.size() - chunk_at_);
  std::memcpy(into.data(), chunk_.data() + chunk_at_, size);
  chunk_at_ += size;
  return size;
}

// None, if nothing of the body is there now or it broke off.
void Answer::next_chunk() {
  chunk_.clear();
  chunk_at_ = 0;
  std::array<std::byte, kChunk> piece;
  std::size_t size = read_kept(piece);
  if (size == 0) size = read_body(piece);
  if (size > 0) {
    const std::string_view bytes(reinterpret_cast<const char*>(piece.data()), size);
    chunk_ = fmt::format("{:x}\r\n{}\r\n", size, bytes);
  } else if (kept_->complete && !kept_->failed) {
    chunk_ = fmt::format("0\r\n{}\r\n", kept_->trailers);
    last_chunk_ = true;
  }
}

}  // namespace carrel::capability::http
