#include "capability/secret/secret_file.h"

#include <algorithm>
#include <cstring>
#include <string_view>
#include <utility>

#include "wasi/seek.h"

namespace carrel::capability::secret {

using wasi::Errno;

SecretFile::SecretFile(SecretBytes text, const wasi::FileStat& stat)
    : text_(std::move(text)), stat_(stat) {}

wasi::Io<wasi::FileStat> SecretFile::stat(wasi::IoContext&) { return stat_; }

wasi::Io<std::size_t> SecretFile::read(wasi::IoContext& io, wasi::Buffers into) {
  const auto done = read_at(io, into, position_);
  if (done) position_ += *done;
  return done;
}

wasi::Io<std::size_t> SecretFile::read_at(wasi::IoContext&, wasi::Buffers into, std::uint64_t at) {
  const auto left = text_.view().substr(std::min<std::uint64_t>(at, text_.size()));
  std::size_t done = 0;
  for (const auto& buffer : into) {
    const std::string_view part = left.substr(done, buffer.size());
    if (!part.empty()) std::memcpy(buffer.data(), part.data(), part.size());
    done += part.size();
  }
  return done;
}

wasi::Io<std::uint64_t> SecretFile::seek(wasi::IoContext&, std::int64_t by, Whence whence) {
  const auto to = wasi::seek_to({.position = position_, .size = text_.size()}, by, whence);
  if (to) position_ = *to;
  return to;
}

}  // namespace carrel::capability::secret
