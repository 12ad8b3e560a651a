// The import: an export's lines become records again, through the committer, in bounded batches.
//
// When a line is refused, the records before it stay and nothing from it on is imported: mend it
// and import again, skipping what exists.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"
#include "store/export_line.h"
#include "store/parts.h"
#include "store/store.h"

namespace carrel::store {

// What to do with a name that is there already.
enum class Existing : std::uint8_t { refuse, skip, replace };

struct ImportReport {
  std::uint64_t values = 0, counters = 0, blobs = 0;  // imported
  std::uint64_t replaced = 0;                         // of these, in the place of others
  std::uint64_t skipped = 0;                          // there already
  std::uint64_t expired = 0;                          // left out: their time has come
};

// Owner: who reads the lines. Thread: the store's shard. Stops: destruction gives up what is not
// committed. After an error it takes nothing more.
class Importer {
 public:
  // `now`: milliseconds since 1970. The store outlives it. No quota counts.
  Importer(ShardStore& store, Existing existing, std::uint64_t now);

  // The next line, without its end. Blocks while a blob's part is written. Errors, with the line's
  // number: those of read_line; already_exists; those of a commit.
  async::Task<Result<void>> add(std::string line);
  // After the last line. Errors: invalid_argument when the export is cut short; as above.
  async::Task<Result<void>> finish();

  // What has been committed, and as of which version: it is kept once that is durable.
  const ImportReport& report() const { return report_; }
  Version version() const { return version_; }

 private:
  struct Pending {
    std::uint64_t line;
    Place place;
    std::string name;
    Record record;
    std::vector<Parts::Pin> pins;  // a blob's parts, until they are referred to
  };
  struct Blob {
    Pending record;
    BlobManifest manifest;
    std::uint64_t left;  // bytes to come
  };

  Result<void> take(ExportLine line);
  Result<void> take_record(RecordLine line);
  Result<void> take_part(const PartLine& line);
  void queue(Pending record);
  bool full() const;
  async::Task<Result<void>> commit_batch();
  async::Task<Result<void>> put_batch(Transaction* transaction, ImportReport* report,
                                      std::optional<Error>* refused) const;

  ShardStore& store_;
  const Existing existing_;
  const std::uint64_t now_;
  std::uint64_t line_ = 0;
  bool begun_ = false, ended_ = false;
  TenantName tenant_;  // of the batch, and of the blob
  std::optional<Blob> blob_;
  std::vector<Pending> batch_;
  std::size_t batch_bytes_ = 0;
  ImportReport report_;
  Version version_ = kNoVersion;
};

}  // namespace carrel::store
