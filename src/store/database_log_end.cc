#include "store/database_log_end.h"

#include <algorithm>
#include <boost/crc.hpp>
#include <cstring>
#include <memory>

namespace carrel::store {
namespace {

constexpr std::size_t kBlock = 32 << 10, kHeader = 7;
constexpr char kLogData = 3;  // the tag of a batch's entry that is in the log only

enum class Kind : std::uint8_t { full = 1, first, middle, last };

std::uint64_t number(const char* at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes; i-- > 0;) value = value << 8 | static_cast<unsigned char>(at[i]);
  return value;
}

// A record, or a piece of one: checksum, length, kind, payload.
struct Piece {
  Kind kind{};
  std::uint32_t checksum = 0;
  std::string_view checked;  // kind and payload
  std::string_view payload;

  std::size_t bytes() const { return kHeader + payload.size(); }
  bool ends_a_batch() const { return kind == Kind::full || kind == Kind::last; }
  bool whole() const {
    boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
    crc.process_bytes(checked.data(), checked.size());
    const std::uint32_t sum = crc.checksum();
    return checksum == (sum >> 15 | sum << 17) + 0xa282ead8U;
  }
};

// What may be one at the beginning of `text`, which lies in one block.
std::optional<Piece> piece_at(std::string_view text) {
  if (text.size() < kHeader) return std::nullopt;
  const auto length = static_cast<std::size_t>(number(text.data() + 4, 2));
  const auto kind = static_cast<unsigned char>(text[6]);
  if (kind < 1 || kind > 4 || length > text.size() - kHeader) return std::nullopt;
  return Piece{.kind = Kind{kind},
               .checksum = static_cast<std::uint32_t>(number(text.data(), 4)),
               .checked = text.substr(6, length + 1),
               .payload = text.substr(kHeader, length)};
}

class Walk {
 public:
  explicit Walk(std::uint64_t log) : log_(log) {}

  void block(std::string_view text) {
    std::size_t at = 0;
    if (!broken_) at = whole_pieces(text);
    if (broken_) look_behind(text.substr(at));
    read_ += text.size();
  }

  LogEnd end() const {
    auto end = end_;
    end.torn |= within_;
    return end;
  }

 private:
  // How far they go.
  std::size_t whole_pieces(std::string_view text) {
    std::size_t at = 0;
    while (text.size() - at >= kHeader) {
      const auto piece = piece_at(text.substr(at));
      const bool begins = piece && (piece->kind == Kind::full || piece->kind == Kind::first);
      broken_ = !piece || begins == within_ || !piece->whole();
      if (broken_) return at;
      within_ = !piece->ends_a_batch();
      at += piece->bytes();
      if (within_) continue;
      end_.bytes = read_ + at;
      if (const auto mark = LogMark::at_end_of(piece->payload)) {
        run_ = mark->run;
        end_.acknowledged |= mark->log == log_ && mark->bytes > 0;
      }
    }
    return text.size();
  }

  void look_behind(std::string_view text) {
    const auto something = text.find_first_not_of('\0');
    if (something == std::string_view::npos) return;
    end_.torn = true;
    if (end_.damaged) return;
    for (auto at = something - std::min(something, kHeader); at < text.size(); ++at) {
      const auto piece = piece_at(text.substr(at));
      if (!piece || !piece->ends_a_batch()) continue;
      const auto mark = LogMark::at_end_of(piece->payload);
      if (!mark || mark->log != log_ || mark->bytes <= end_.bytes) continue;
      if (run_ && mark->run != *run_) continue;
      if (piece->whole()) end_.damaged = true;
    }
  }

  std::uint64_t log_;
  std::uint64_t read_ = 0;
  LogEnd end_;
  bool within_ = false;  // a batch of several pieces
  bool broken_ = false;
  std::optional<std::uint64_t> run_;
};

}  // namespace

std::array<char, LogMark::kBytes> LogMark::encode() const {
  std::array<char, kBytes> out{};
  std::size_t at = 0;
  for (const auto value : {run, log, bytes}) {
    for (unsigned shift = 0; shift < 64; shift += 8) out[at++] = static_cast<char>(value >> shift);
  }
  return out;
}

std::optional<LogMark> LogMark::at_end_of(std::string_view batch) {
  if (batch.size() < kBytes + 2) return std::nullopt;
  const char* at = batch.data() + batch.size() - kBytes;
  if (at[-2] != kLogData || at[-1] != char{kBytes}) return std::nullopt;
  return LogMark{.run = number(at, 8), .log = number(at + 8, 8), .bytes = number(at + 16, 8)};
}

rocksdb::IOStatus find_log_end(rocksdb::FSSequentialFile& file, std::uint64_t log, LogEnd& end) {
  const auto buffer = std::make_unique<char[]>(kBlock);
  Walk walk(log);
  while (true) {
    rocksdb::Slice read;
    auto status = file.Read(kBlock, {}, &read, buffer.get(), nullptr);
    if (!status.ok()) return status;
    if (read.empty()) break;
    walk.block(read.ToStringView());
  }
  end = walk.end();
  return rocksdb::IOStatus::OK();
}

}  // namespace carrel::store
