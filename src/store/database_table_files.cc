#include "store/database_table_files.h"

#include <fcntl.h>
#include <sys/uio.h>

#include "base/fd.h"

namespace carrel::store {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

class TableFiles::File final : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  File(std::unique_ptr<rocksdb::FSRandomAccessFile> below, Fd file)
      : FSRandomAccessFileOwnerWrapper(std::move(below)), file_(std::move(file)) {}

  IOStatus Read(std::uint64_t offset, std::size_t size, const IOOptions& options,
                rocksdb::Slice* result, char* scratch, IODebugContext* debug) const override {
    if (options.timeout != kNoWait) {
      return FSRandomAccessFileOwnerWrapper::Read(offset, size, options, result, scratch, debug);
    }
    const iovec whole{scratch, size};
    const auto got = ::preadv2(file_.get(), &whole, 1, static_cast<off_t>(offset), RWF_NOWAIT);
    // A short answer is what the cache has of it; the rest, or an error, is for a reader that
    // waits.
    if (got < 0 || static_cast<std::size_t>(got) != size) return IOStatus::TimedOut();
    *result = {scratch, size};
    return IOStatus::OK();
  }

 private:
  Fd file_;  // may be none: a read of it fails
};

IOStatus TableFiles::NewRandomAccessFile(const std::string& name,
                                         const rocksdb::FileOptions& options,
                                         std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                                         IODebugContext* debug) {
  auto status = target()->NewRandomAccessFile(name, options, result, debug);
  if (!status.ok()) return status;
  Fd file(pages_ == Pages::used ? ::open(name.c_str(), O_RDONLY | O_CLOEXEC) : -1);
  *result = std::make_unique<File>(std::move(*result), std::move(file));
  return status;
}

}  // namespace carrel::store
