#include "capability/tmp/sparse_bytes.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace carrel::capability::tmp {
namespace {

using wasi::Errno;
using wasi::fail;
using wasi::Io;
using wasi::IoContext;

constexpr std::size_t kChunkSize = 16 << 10;
constexpr std::size_t kSmallestChunk = 256;
constexpr std::int64_t kChunkCost = 96;  // a chunk's place in the map

std::int64_t cost(std::size_t capacity) { return kChunkCost + static_cast<std::int64_t>(capacity); }

}  // namespace

void SparseBytes::copy_out(const Chunk* chunk, std::size_t offset, std::span<std::byte> into) {
  const std::size_t held =
      chunk ? std::min(into.size(), chunk->capacity - std::min(chunk->capacity, offset)) : 0;
  if (held > 0) std::memcpy(into.data(), chunk->bytes.get() + offset, held);
  if (held < into.size()) std::memset(into.data() + held, 0, into.size() - held);
}

std::size_t SparseBytes::read(wasi::Buffers into, std::uint64_t at) const {
  if (at >= size_) return 0;
  const std::size_t total =
      static_cast<std::size_t>(std::min<std::uint64_t>(size_ - at, kMaxTransfer));
  std::size_t done = 0;
  for (std::span<std::byte> buffer : into) {
    buffer = buffer.first(std::min(buffer.size(), total - done));
    while (!buffer.empty()) {
      const std::uint64_t position = at + done;
      const std::size_t offset = position % kChunkSize;
      const auto part = buffer.first(std::min(buffer.size(), kChunkSize - offset));
      const auto chunk = chunks_.find(position / kChunkSize);
      copy_out(chunk == chunks_.end() ? nullptr : &chunk->second, offset, part);
      buffer = buffer.subspan(part.size());
      done += part.size();
    }
  }
  return done;
}

SparseBytes::Chunk* SparseBytes::room_for(IoContext& io, std::uint64_t index, std::size_t needed) {
  const auto found = chunks_.find(index);
  const std::size_t held = found == chunks_.end() ? 0 : found->second.capacity;
  if (held >= needed) return &found->second;
  const std::size_t capacity = std::bit_ceil(std::max(needed, kSmallestChunk));
  if (!io.charge_memory(cost(capacity) - (held > 0 ? cost(held) : 0))) return nullptr;
  Chunk& chunk = held > 0 ? found->second : chunks_[index];
  auto bytes = std::make_unique<std::byte[]>(capacity);
  if (held > 0) std::memcpy(bytes.get(), chunk.bytes.get(), held);
  chunk = Chunk{std::move(bytes), capacity};
  return &chunk;
}

std::size_t SparseBytes::put(IoContext& io, std::span<const std::byte> from, std::uint64_t at) {
  std::size_t done = 0;
  while (done < from.size()) {
    const std::size_t offset = (at + done) % kChunkSize;
    const std::size_t part = std::min(from.size() - done, kChunkSize - offset);
    Chunk* chunk = room_for(io, (at + done) / kChunkSize, offset + part);
    if (!chunk) break;
    std::memcpy(chunk->bytes.get() + offset, from.data() + done, part);
    done += part;
  }
  return done;
}

Io<std::size_t> SparseBytes::write(IoContext& io, wasi::ConstBuffers from, std::uint64_t at) {
  std::size_t asked = 0, done = 0;
  for (std::span<const std::byte> buffer : from) {
    if (buffer.empty()) continue;
    if (at >= kMaxSize) return fail(Errno::fbig);
    const std::uint64_t most = std::min<std::uint64_t>(kMaxTransfer, kMaxSize - at) - done;
    buffer = buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), most)));
    asked += buffer.size();
    done += put(io, buffer, at + done);
    if (done < asked) break;
  }
  if (asked > 0 && done == 0) return fail(Errno::dquot);
  if (done > 0) size_ = std::max(size_, at + done);
  return done;
}

Io<void> SparseBytes::resize(IoContext& io, std::uint64_t size) {
  if (size > kMaxSize) return fail(Errno::fbig);
  if (size < size_) {
    auto chunk = chunks_.lower_bound(size / kChunkSize);
    const std::size_t kept = size % kChunkSize;
    if (kept > 0 && chunk != chunks_.end() && chunk->first == size / kChunkSize) {
      Chunk& last = chunk->second;
      if (kept < last.capacity) std::memset(last.bytes.get() + kept, 0, last.capacity - kept);
      ++chunk;
    }
    std::int64_t freed = 0;
    for (auto gone = chunk; gone != chunks_.end(); ++gone) freed += cost(gone->second.capacity);
    chunks_.erase(chunk, chunks_.end());
    io.charge_memory(-freed);
  }
  size_ = size;
  return {};
}

void SparseBytes::clear(IoContext& io) { static_cast<void>(resize(io, 0)); }

}  // namespace carrel::capability::tmp
