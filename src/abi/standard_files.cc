#include "abi/standard_files.h"

#include "tenant/meter.h"
#include "turn/scrub.h"
#include "turn/state.h"

namespace carrel::abi {
namespace {

constexpr std::uint64_t kLineCost =
    128;  // what the log writes around a line: short ones are not cheap
constexpr std::size_t kMostAtOnce = 256 << 10;  // so that a host call is short

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

wasi::Io<wasi::FileStat> OutputFile::stat(wasi::IoContext&) { return wasi::FileStat{}; }

wasi::Io<std::size_t> OutputFile::write(wasi::IoContext& io, wasi::ConstBuffers from) {
  auto taken = output_.write(io, from);
  if (taken && turn_.use != nullptr) turn_.use->replied(*taken);
  return taken;
}

wasi::Io<std::uint64_t> OutputFile::writable(wasi::IoContext&) { return kMostAtOnce; }

wasi::Io<wasi::FileStat> ErrorFile::stat(wasi::IoContext&) { return wasi::FileStat{}; }

wasi::Io<std::size_t> ErrorFile::write(wasi::IoContext&, wasi::ConstBuffers from) {
  std::size_t taken = 0;
  for (const auto& buffer : from) {
    const auto piece = text_of(buffer).substr(0, kMostAtOnce - taken);
    take(piece);
    taken += piece.size();
    if (piece.size() < buffer.size()) break;
  }
  return taken;
}

wasi::Io<std::uint64_t> ErrorFile::writable(wasi::IoContext&) { return kMostAtOnce; }

void ErrorFile::take(std::string_view bytes) {
  while (!bytes.empty() && !dropping_) {
    const auto piece = bytes.substr(0, std::min(bytes.find('\n'), longest_ - line_.size()));
    line_ += piece.substr(0, left_);
    if (piece.size() > left_) return drop_rest();
    left_ -= piece.size();
    bytes.remove_prefix(piece.size());
    const bool ended = bytes.starts_with('\n');
    if (ended) bytes.remove_prefix(1);
    if (ended)
      end_line();
    else if (line_.size() == longest_)
      cut_line();
  }
}

void ErrorFile::end_line() {
  if (!line_.empty()) log(line_);
  line_.clear();
  longest_ = kLongestLine;
}

// A secret is not cut: what may be the beginning of one stays for the next line, or makes this one
// longer.
void ErrorFile::cut_line() {
  const std::size_t cut = turn::safe_cut(line_, secrets());
  longest_ = line_.size() - cut + kLongestLine;
  if (cut == 0) return;
  log(std::string_view(line_).substr(0, cut));
  line_.erase(0, cut);
}

void ErrorFile::log(std::string_view line) {
  left_ -= std::min(left_, kLineCost);
  if (turn_.use != nullptr && !turn_.use->may_log(line.size() + kLineCost)) return;
  turn_.log.line(turn_.module, turn_.id, turn::scrub(line, secrets()));
}

std::span<const SecretBytes> ErrorFile::secrets() const {
  if (turn_.state == nullptr) return {};
  return turn_.state->told_secrets;
}

void ErrorFile::drop_rest() {
  dropping_ = true;
  line_.resize(turn::safe_cut(line_, secrets()));
  end_line();
  turn_.log.line(turn_.module, turn_.id,
                 "(the rest of this turn's log is dropped: it is over the limit)");
}

}  // namespace carrel::abi
