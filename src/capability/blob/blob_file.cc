#include "capability/blob/blob_file.h"

#include <algorithm>
#include <cstring>

#include "capability/blob/manifest.h"
#include "capability/state/look.h"
#include "capability/state/store_errno.h"

namespace carrel::capability::blob {
namespace {

using wasi::Errno;
using wasi::fail;
using wasi::Io;

constexpr std::size_t kMostAtOnce = 256 << 10;  // so that a host call is short

template <typename Spans>
std::size_t total_of(Spans buffers) {
  std::size_t wanted = 0;
  for (const auto& buffer : buffers) wanted += std::min(buffer.size(), kMostAtOnce - wanted);
  return wanted;
}

}  // namespace

BlobFile::~BlobFile() {
  if (hand_ != nullptr) hands_->abandon(*hand_);
}

// Read at the open, so this rarely waits.
Io<const store::Record*> BlobFile::record(wasi::IoContext& io) {
  const auto track = how().read || !how().truncate ? store::Track::yes : store::Track::no;
  auto found = state::look(io, transaction_, hand_->place, hand_->name, track);
  if (found && *found == nullptr) return fail(Errno::stale);
  return found;
}

Io<wasi::FileStat> BlobFile::stat(wasi::IoContext&) {
  std::uint64_t size = opened_size_;  // what the turn changes is in memory
  if (auto found = transaction_.get(hand_->place, hand_->name, store::Track::no)) {
    if (!*found) return fail(state::errno_of(found->error()));
    if (**found == nullptr) return fail(Errno::stale);
    size = size_of((**found)->bytes);
  }
  return wasi::FileStat{.type = wasi::FileType::regular, .size = size};
}

Io<std::size_t> BlobFile::read_at(wasi::IoContext& io, wasi::Buffers into, std::uint64_t at) {
  if (!how().read) return fail(Errno::badf);
  const std::size_t wanted = total_of(into);
  const auto found = record(io);
  if (!found) return fail(found.error());
  const std::string_view manifest = (*found)->bytes;
  if (wanted == 0 || at >= size_of(manifest)) return 0;
  if (auto held = hands_->bring(io, *hand_, manifest, at / store::kPartBytes); !held) {
    return fail(held.error());
  }
  std::string_view rest = hand_->bytes;
  rest.remove_prefix(std::min<std::uint64_t>(at % store::kPartBytes, rest.size()));
  rest = rest.substr(0, wanted);
  std::size_t done = 0;
  for (const auto& buffer : into) {
    const std::size_t n = std::min(buffer.size(), rest.size() - done);
    if (n == 0) continue;
    std::memcpy(buffer.data(), rest.data() + done, n);
    done += n;
  }
  return done;
}

// The manifest in the transaction has this size, which is not less than what it has.
Io<void> BlobFile::resize(std::uint64_t size) {
  const auto refused = [](const Result<void>& r) { return fail(state::errno_of(r.error())); };
  auto own = transaction_.edit(hand_->place, hand_->name);
  if (!own) return fail(state::errno_of(own.error()));
  const std::uint64_t more = parts_of(size) - parts_of(size_of((*own)->bytes));
  const auto bytes = static_cast<std::int64_t>(more * sizeof(store::PartHash));
  if (auto r = transaction_.set_weight(hand_->place, hand_->name, size); !r) return refused(r);
  if (auto r = transaction_.grow(hand_->place, hand_->name, bytes); !r) return refused(r);
  blob::set_size((*own)->bytes, size);
  return {};
}

Io<std::size_t> BlobFile::write_at(wasi::IoContext& io, wasi::ConstBuffers from, std::uint64_t at) {
  if (!how().write) return fail(Errno::badf);
  std::size_t wanted = total_of(from);
  if (wanted == 0) return 0;
  const auto found = record(io);
  if (!found) return fail(found.error());
  const std::uint64_t size = size_of((*found)->bytes);
  if (at >= kMaxBlob) return fail(Errno::fbig);
  if (at > size) return fail(Errno::notsup);
  const auto offset = static_cast<std::size_t>(at % store::kPartBytes);
  wanted = std::min(wanted, store::kPartBytes - offset);
  if (auto held = hands_->bring(io, *hand_, (*found)->bytes, at / store::kPartBytes); !held) {
    return fail(held.error());
  }
  const std::size_t filled = std::max(hand_->bytes.size(), offset + wanted);
  if (auto r = hands_->change(io, *hand_, filled); !r) return fail(r.error());
  if (auto r = resize(std::max(size, at + wanted)); !r) return fail(r.error());
  hand_->bytes.resize(filled);
  std::size_t done = 0;
  for (const auto& buffer : from) {
    const std::size_t n = std::min(buffer.size(), wanted - done);
    if (n == 0) continue;
    std::memcpy(hand_->bytes.data() + offset + done, buffer.data(), n);
    done += n;
  }
  return done;
}

Io<std::uint64_t> BlobFile::end(wasi::IoContext& io) {
  const auto found = record(io);
  if (!found) return fail(found.error());
  return size_of((*found)->bytes);
}

Io<void> BlobFile::set_size(wasi::IoContext& io, std::uint64_t size) {
  if (!how().write) return fail(Errno::inval);
  if (size > kMaxBlob) return fail(Errno::fbig);
  const auto found = record(io);
  if (!found) return fail(found.error());
  if (size == size_of((*found)->bytes)) return {};
  if (size != 0) return fail(Errno::notsup);
  store::Record none;
  blob::set_size(none.bytes, 0);
  if (auto put = transaction_.put(hand_->place, hand_->name, std::move(none)); !put) {
    return fail(state::errno_of(put.error()));
  }
  if (auto r = transaction_.set_weight(hand_->place, hand_->name, 0); !r) {
    return fail(state::errno_of(r.error()));
  }
  hands_->empty(*hand_);
  return {};
}

Io<void> BlobFile::close(wasi::IoContext& io) {
  if (hand_ != nullptr) hands_->close(io, *std::exchange(hand_, nullptr));
  return {};
}

}  // namespace carrel::capability::blob
