#include "store/database_log_end.h"

#include <algorithm>
#include <boost/crc.hpp>
#include <boost/endian/conversion.hpp>
#include <memory>
#include <string>

namespace carrel::store {
namespace {

constexpr std::size_t kBlock = 32 << 10, kHeader = 7;
constexpr std::size_t kSector = 512;    // a log that ends with one of zeros was written ahead
constexpr std::size_t kBatchHead = 12;  // the number of its first change, and how many it has
constexpr char kLogData = 3;            // the tag of what is in the log only
constexpr std::size_t kBatchTail = 2 + LogMark::kBytes;

enum class Kind : std::uint8_t { full = 1, first, middle, last };

// The number of N bytes at `at`, the least first.
template <std::size_t N>
std::uint64_t number(std::string_view text, std::size_t at) {
  return boost::endian::endian_load<std::uint64_t, N, boost::endian::order::little>(
      reinterpret_cast<const unsigned char*>(text.substr(at, N).begin()));
}

// A batch, or what of it is in one block: checksum, length, kind, payload.
struct Piece {
  Kind kind{};
  std::uint32_t checksum = 0;
  std::string_view checked;  // kind and payload
  std::string_view payload;

  std::size_t bytes() const { return kHeader + payload.size(); }
  bool begins() const { return kind == Kind::full || kind == Kind::first; }
  bool ends() const { return kind == Kind::full || kind == Kind::last; }
  bool whole() const { return checksum == log_checksum(checked); }
};

// What may be one at the beginning of `text`, which lies in one block.
std::optional<Piece> piece_at(std::string_view text) {
  if (text.size() < kHeader) return std::nullopt;
  const auto length = static_cast<std::size_t>(number<2>(text, 4));
  const auto kind = static_cast<unsigned char>(text[6]);
  if (kind < 1 || kind > 4 || length > text.size() - kHeader) return std::nullopt;
  return Piece{.kind = Kind{kind},
               .checksum = static_cast<std::uint32_t>(number<4>(text, 0)),
               .checked = text.substr(6, length + 1),
               .payload = text.substr(kHeader, length)};
}

// The two ends of a batch, which may lie in several pieces.
class Batch {
 public:
  void begin() {
    head_.clear();
    tail_.clear();
  }
  void add(std::string_view payload) {
    head_ += payload.substr(0, kBatchHead - head_.size());
    tail_ += payload.substr(payload.size() - std::min(payload.size(), kBatchTail));
    tail_.erase(0, tail_.size() - std::min(tail_.size(), kBatchTail));
  }
  bool has_head() const { return head_.size() == kBatchHead; }
  std::uint64_t first() const { return number<8>(head_, 0); }
  std::uint64_t changes() const { return number<4>(head_, 8); }
  std::optional<LogMark> mark() const { return LogMark::at_end_of(tail_); }

 private:
  std::string head_, tail_;
};

class Walk {
 public:
  Walk(std::uint64_t log, std::uint64_t store) : log_(log), store_(store) {}

  void block(std::string_view text) {
    std::size_t at = 0;
    if (!broken_) at = whole_pieces(text);
    if (broken_) look_behind(text.substr(at));
    const auto last = text.find_last_not_of('\0');
    zeros_ = last == std::string_view::npos ? zeros_ + text.size() : text.size() - last - 1;
    read_ += text.size();
  }

  LogEnd end() const {
    auto end = end_;
    end.torn |= within_;
    end.ahead |= zeros_ >= kSector;
    return end;
  }

 private:
  // How far they go.
  std::size_t whole_pieces(std::string_view text) {
    std::size_t at = 0;
    while (text.size() - at >= kHeader) {
      const auto piece = piece_at(text.substr(at));
      broken_ = !piece || piece->begins() == within_ || !piece->whole();
      if (broken_) return at;
      if (piece->begins()) batch_.begin();
      batch_.add(piece->payload);
      within_ = !piece->ends();
      at += piece->bytes();
      if (!within_) end_batch(read_ + at);
    }
    return text.size();
  }

  void end_batch(std::uint64_t at) {
    end_.bytes = at;
    if (batch_.has_head() && batch_.changes() > 0) {
      if (end_.first == 0) end_.first = batch_.first();
      end_.next = batch_.first() + batch_.changes();
    }
    if (const auto mark = batch_.mark(); mark && is_ours(*mark)) heed(*mark);
  }

  bool is_ours(const LogMark& mark) const { return mark.store == store_ && mark.log == log_; }
  void heed(const LogMark& mark) {
    end_.ahead |= mark.ahead;
    end_.acknowledged |= mark.bytes > 0;
  }

  void look_behind(std::string_view text) {
    const auto something = text.find_first_not_of('\0');
    if (something == std::string_view::npos) return;
    end_.torn = true;
    for (auto at = something - std::min(something, kHeader); at < text.size(); ++at) {
      const auto piece = piece_at(text.substr(at));
      if (!piece || !piece->ends()) continue;
      const auto mark = LogMark::at_end_of(piece->payload);
      if (!mark || !is_ours(*mark) || !piece->whole()) continue;
      heed(*mark);
      end_.damaged |= mark->bytes > end_.bytes;
    }
  }

  std::uint64_t log_, store_;
  std::uint64_t read_ = 0, zeros_ = 0;
  LogEnd end_;
  Batch batch_;
  bool within_ = false;  // a batch of several pieces
  bool broken_ = false;
};

}  // namespace

std::array<char, LogMark::kBytes> LogMark::encode() const {
  std::array<char, kBytes> out{};
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  boost::endian::store_little_u64(to, store);
  boost::endian::store_little_u64(to + 8, log);
  boost::endian::store_little_u64(to + 16, bytes);
  out[24] = ahead ? 1 : 0;
  return out;
}

std::optional<LogMark> LogMark::at_end_of(std::string_view batch) {
  if (batch.size() < kBatchTail) return std::nullopt;
  const std::string_view tail = batch.substr(batch.size() - kBatchTail);
  if (tail[0] != kLogData || tail[1] != char{kBytes}) return std::nullopt;
  return LogMark{.store = number<8>(tail, 2),
                 .log = number<8>(tail, 10),
                 .bytes = number<8>(tail, 18),
                 .ahead = tail[26] != 0};
}

std::uint32_t log_checksum(std::string_view kind_and_payload) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(kind_and_payload.data(), kind_and_payload.size());
  const std::uint32_t sum = crc.checksum();
  return (sum >> 15 | sum << 17) + 0xa282ead8U;
}

rocksdb::IOStatus find_log_end(rocksdb::FSSequentialFile& file, std::uint64_t log,
                               std::uint64_t store, LogEnd& end) {
  const auto buffer = std::make_unique<char[]>(kBlock);
  Walk walk(log, store);
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
