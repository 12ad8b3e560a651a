// Whatever a log's file holds has an end within it, found again when nothing follows it.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

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
  if (!find_log_end(text, 1, end).ok()) std::abort();
  return end;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view log(reinterpret_cast<const char*>(data), size);
  const auto end = end_of(log);
  if (end.bytes > size || (end.damaged && !end.torn)) std::abort();
  const auto again = end_of(log.substr(0, end.bytes));
  if (again.bytes != end.bytes || again.torn) std::abort();
  return 0;
}
