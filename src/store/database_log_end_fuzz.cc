// Whatever a log's file holds has an end within it, found again when nothing follows it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "store/database_log_end.h"

namespace {

class Text final : public rocksdb::FSSequentialFile {
 public:
  explicit Text(std::string_view text) : left_(text) {}
  rocksdb::IOStatus Read(std::size_t n, const rocksdb::IOOptions&, rocksdb::Slice* result,
                         char* scratch, rocksdb::IODebugContext*) override {
    const auto got = left_.substr(0, n);
    std::ranges::copy(got, scratch);
    *result = {scratch, got.size()};
    left_.remove_prefix(got.size());
    return rocksdb::IOStatus::OK();
  }
  rocksdb::IOStatus Skip(std::uint64_t n) override {
    left_.remove_prefix(std::min<std::uint64_t>(n, left_.size()));
    return rocksdb::IOStatus::OK();
  }

 private:
  std::string_view left_;
};

carrel::store::LogEnd end_of(std::string_view log) {
  Text text(log);
  carrel::store::LogEnd end;
  if (!find_log_end(text, 1, 2, end).ok()) std::abort();
  return end;
}

// Pieces with right checksums out of the input: kind, length, payload; a mark behind every other.
std::string pieces_of(std::string_view input) {
  std::string log;
  while (input.size() > 2) {
    const std::size_t length = static_cast<unsigned char>(input[1]);
    std::string piece(1, static_cast<char>(input[0] & 7));
    piece += input.substr(2, length);
    if ((input[0] & 8) != 0) {
      const carrel::store::LogMark mark{.store = 2, .log = 1, .bytes = length, .ahead = true};
      const auto text = mark.encode();
      piece += {3, static_cast<char>(text.size())};
      piece.append(text.data(), text.size());
    }
    const auto sum = carrel::store::log_checksum(piece) ^ static_cast<unsigned>(input[0] == 0x77);
    for (unsigned shift = 0; shift < 32; shift += 8) log += static_cast<char>(sum >> shift);
    log += static_cast<char>((piece.size() - 1) & 255);
    log += static_cast<char>((piece.size() - 1) >> 8);
    log += piece;
    input.remove_prefix(std::min(input.size(), length + 2));
  }
  return log;
}

void check(std::string_view log) {
  const auto end = end_of(log);
  if (end.bytes > log.size() || (end.damaged && !end.torn)) std::abort();
  const auto again = end_of(log.substr(0, end.bytes));
  if (again.bytes != end.bytes || again.torn || again.next != end.next) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check(input);
  check(pieces_of(input));
  return 0;
}
