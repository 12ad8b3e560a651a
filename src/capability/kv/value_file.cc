#include "capability/kv/value_file.h"

#include <algorithm>
#include <cstring>

#include "capability/state/look.h"
#include "capability/state/store_errno.h"

namespace carrel::capability::kv {
namespace {

using wasi::Errno;
using wasi::fail;
using wasi::Io;

constexpr std::uint64_t kNanosAMilli = 1'000'000;
constexpr std::size_t kMostAtOnce = 256 << 10;  // so that a host call is short

}  // namespace

wasi::FileStat stat_of(const store::Record& record) {
  return {.type = wasi::FileType::regular,
          .size = record.bytes.size(),
          .modified = record.expires * kNanosAMilli};
}

Io<void> set_expiry(wasi::IoContext& io, store::Transaction& transaction, const store::Place& place,
                    const std::string& name, wasi::SetTimes times) {
  if (!times.modified) return {};
  const std::uint64_t expires = *times.modified / kNanosAMilli;
  auto record = transaction.edit(place, name);
  if (!record) return fail(state::errno_of(record.error()));
  (*record)->expires = expires > store::milliseconds(io.clock().wall()) ? expires : 0;
  return {};
}

// Read once at the open, so this rarely waits.
Io<const store::Record*> ValueFile::record(wasi::IoContext& io) {
  const auto track = how().read || !how().truncate ? store::Track::yes : store::Track::no;
  auto found = state::look(io, transaction_, place_, name_, track);
  if (found && *found == nullptr) return fail(Errno::stale);
  return found;
}

Io<wasi::FileStat> ValueFile::stat(wasi::IoContext&) {
  auto found = transaction_.get(place_, name_, store::Track::no);
  if (!found) return opened_;  // what the turn changes is in memory: so it has not
  if (!*found) return fail(state::errno_of(found->error()));
  if (**found == nullptr) return fail(Errno::stale);
  return stat_of(***found);
}

Io<std::size_t> ValueFile::read_at(wasi::IoContext& io, wasi::Buffers into, std::uint64_t at) {
  if (!how().read) return fail(Errno::badf);
  const auto found = record(io);
  if (!found) return fail(found.error());
  std::string_view rest = (*found)->bytes;
  rest.remove_prefix(std::min<std::uint64_t>(at, rest.size()));
  std::size_t done = 0;
  for (const auto& buffer : into) {
    const std::size_t n = std::min({buffer.size(), rest.size(), kMostAtOnce - done});
    if (n == 0) continue;
    std::memcpy(buffer.data(), rest.data(), n);
    rest.remove_prefix(n);
    done += n;
  }
  return done;
}

// The turn's own copy with another size, zeroes where it has grown. A write makes the modification
// time now.
Io<store::Record*> ValueFile::resize(wasi::IoContext& io, std::uint64_t size) {
  const auto found = record(io);
  if (!found) return fail(found.error());
  if (size > store::kMaxValue) return fail(Errno::fbig);
  auto own = transaction_.edit(place_, name_);
  if (!own) return fail(state::errno_of(own.error()));
  const auto more =
      static_cast<std::int64_t>(size) - static_cast<std::int64_t>((*own)->bytes.size());
  if (auto grown = transaction_.grow(place_, name_, more); !grown) {
    return fail(state::errno_of(grown.error()));
  }
  (*own)->bytes.resize(size);
  (*own)->expires = 0;
  return *own;
}

Io<std::size_t> ValueFile::write_at(wasi::IoContext& io, wasi::ConstBuffers from,
                                    std::uint64_t at) {
  if (!how().write) return fail(Errno::badf);
  std::size_t wanted = 0;
  for (const auto& buffer : from) wanted += std::min(buffer.size(), kMostAtOnce - wanted);
  if (wanted == 0) return 0;
  const auto found = record(io);
  if (!found) return fail(found.error());
  if (at >= store::kMaxValue) return fail(Errno::fbig);
  wanted = std::min<std::size_t>(wanted, store::kMaxValue - at);
  const auto own = resize(io, std::max<std::uint64_t>((*found)->bytes.size(), at + wanted));
  if (!own) return fail(own.error());
  std::size_t done = 0;
  for (const auto& buffer : from) {
    const std::size_t n = std::min(buffer.size(), wanted - done);
    if (n == 0) continue;
    std::memcpy((*own)->bytes.data() + at + done, buffer.data(), n);
    done += n;
  }
  return done;
}

Io<std::uint64_t> ValueFile::end(wasi::IoContext& io) {
  const auto found = record(io);
  if (!found) return fail(found.error());
  return (*found)->bytes.size();
}

Io<void> ValueFile::set_size(wasi::IoContext& io, std::uint64_t size) {
  if (!how().write) return fail(Errno::inval);
  const auto own = resize(io, size);
  if (!own) return fail(own.error());
  return {};
}

Io<void> ValueFile::set_times(wasi::IoContext& io, wasi::SetTimes times) {
  if (!how().write) return fail(Errno::perm);
  const auto found = record(io);
  if (!found) return fail(found.error());
  return set_expiry(io, transaction_, place_, name_, times);
}

Io<void> ValueFile::allocate(wasi::IoContext& io, std::uint64_t at, std::uint64_t size) {
  if (!how().write) return fail(Errno::badf);
  if (at > store::kMaxValue || size > store::kMaxValue - at) return fail(Errno::fbig);
  const auto found = record(io);
  if (!found) return fail(found.error());
  if (at + size <= (*found)->bytes.size()) return {};
  const auto own = resize(io, at + size);
  if (!own) return fail(own.error());
  return {};
}

}  // namespace carrel::capability::kv
