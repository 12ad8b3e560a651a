#include "store/import.h"

#include <fmt/format.h>

#include <algorithm>

namespace carrel::store {
namespace {

using async::Task;

constexpr std::size_t kMostRecords = 1000;  // of a batch
constexpr std::size_t kMostBytes = 4 << 20;
constexpr int kMostRuns = 50;
// Synced: who imports waits for the last version.
constexpr TransactionLimits kUnlimited{.effects = SIZE_MAX, .bytes = SIZE_MAX};

Error at_line(std::uint64_t line, const Error& error) {
  const std::string help = error.help().empty()
                               ? "mend the line and import again with --existing skip; what came "
                                 "before it stays"
                               : error.help();
  return Error(error.code(), fmt::format("line {}: {}", line, error.message()), help);
}

std::unexpected<Error> wrong(std::string what) {
  return fail(Code::invalid_argument, std::move(what));
}

void count(ImportReport& report, Kind kind) {
  ++(kind == Kind::blob ? report.blobs : kind == Kind::counter ? report.counters : report.values);
}

}  // namespace

Importer::Importer(ShardStore& store, Existing existing, std::uint64_t now)
    : store_(store), existing_(existing), now_(now) {}

Task<Result<void>> Importer::add(std::string text) {
  ++line_;
  auto line = read_line(text);
  std::string().swap(text);
  const auto* const record = line ? std::get_if<RecordLine>(&*line) : nullptr;
  if (record != nullptr && record->app != tenant_.str()) {
    CARREL_CO_TRY_VOID(co_await commit_batch());
    tenant_ = TenantName(record->app);
  }
  auto taken = line ? take(std::move(*line)) : std::unexpected(std::move(line).error());
  if (taken && !full()) co_return Result<void>();
  CARREL_CO_TRY_VOID(co_await commit_batch());
  if (taken) co_return Result<void>();
  co_return std::unexpected(at_line(line_, taken.error()));
}

Task<Result<void>> Importer::finish() {
  CARREL_CO_TRY_VOID(co_await commit_batch());
  if (ended_) co_return Result<void>();
  co_return fail(
      Code::invalid_argument,
      fmt::format("it ends after line {} without {{\"end\":true}}: it is cut short", line_),
      "what came before stays; import the whole with --existing skip");
}

Result<void> Importer::take(ExportLine line) {
  if (ended_) return wrong("nothing comes after {\"end\":true}");
  const bool header = std::holds_alternative<HeaderLine>(line);
  if (header == begun_) {
    return wrong(begun_ ? "a header is the first line only"
                        : "an export begins with {\"carrel_export\":1}");
  }
  begun_ = true;
  if (header) return {};
  const auto* const part = std::get_if<PartLine>(&line);
  if (blob_ && part == nullptr) {
    return wrong(
        fmt::format("the blob of line {} lacks {} bytes", blob_->record.line, blob_->left));
  }
  if (part != nullptr) return take_part(*part);
  if (auto* const record = std::get_if<RecordLine>(&line)) return take_record(std::move(*record));
  ended_ = true;
  return {};
}

Result<void> Importer::take_record(RecordLine line) {
  Pending record{.line = line_,
                 .place = {.kind = line.kind, .store = std::move(line.store)},
                 .name = std::move(line.name),
                 .record = {.bytes = std::move(line.value), .expires = line.expires},
                 .pins = {}};
  if (line.kind == Kind::counter) record.record.bytes = encode_count(line.count);
  if (line.kind == Kind::blob) {
    BlobManifest manifest{.size = line.size, .parts = {}};
    if (line.size > 0) {
      blob_.emplace(std::move(record), std::move(manifest), line.size);
      return {};
    }
    record.record.bytes = encode(manifest);
  }
  queue(std::move(record));
  return {};
}

Result<void> Importer::take_part(const PartLine& line) {
  if (!blob_) return wrong("a part belongs to no blob");
  const auto expected = std::min<std::uint64_t>(blob_->left, kPartBytes);
  if (line.bytes.size() != expected) {
    return wrong(
        fmt::format("the part has {} bytes and should have {}", line.bytes.size(), expected));
  }
  // It is there before a commit refers to it, and is not swept until then.
  Parts& parts = store_.store().parts();
  const PartHash hash = hash_of_part(line.bytes);
  blob_->record.pins.push_back(parts.pin(tenant_, hash));
  CARREL_TRY_VOID(parts.write(tenant_, hash, line.bytes));
  blob_->manifest.parts.push_back(hash);
  blob_->left -= expected;
  if (blob_->left > 0) return {};
  blob_->record.record.bytes = encode(blob_->manifest);
  queue(std::move(blob_->record));
  blob_.reset();
  return {};
}

void Importer::queue(Pending record) {
  if (record.record.expires != 0 && record.record.expires <= now_) {
    ++report_.expired;
    return;
  }
  batch_bytes_ += record.name.size() + record.record.bytes.size();
  batch_.push_back(std::move(record));
}

bool Importer::full() const { return batch_.size() >= kMostRecords || batch_bytes_ >= kMostBytes; }

// Up to a name that is there already and must not be.
Task<Result<void>> Importer::put_batch(Transaction* transaction, ImportReport* report,
                                       std::optional<Error>* refused) const {
  for (const Pending& pending : batch_) {
    CARREL_CO_TRY(const Record* const found,
                  co_await transaction->read(pending.place, pending.name));
    if (found != nullptr && existing_ == Existing::refuse) {
      refused->emplace(at_line(
          pending.line,
          Error(Code::already_exists, "the store has something of this name",
                "import with --existing skip or --existing replace; what came before stays")));
      break;
    }
    if (found != nullptr && existing_ == Existing::skip) {
      ++report->skipped;
      continue;
    }
    if (found != nullptr) ++report->replaced;
    count(*report, pending.place.kind);
    CARREL_CO_TRY_VOID(transaction->put(pending.place, pending.name, pending.record));
  }
  co_return Result<void>();
}

Task<Result<void>> Importer::commit_batch() {
  if (batch_.empty()) co_return Result<void>();
  Transaction transaction(store_, tenant_, kUnlimited);
  for (int run = 1;; ++run) {
    ImportReport report = report_;
    std::optional<Error> refused;
    CARREL_CO_TRY_VOID(co_await put_batch(&transaction, &report, &refused));
    auto version = co_await transaction.commit();
    if (version) {
      report_ = report;
      version_ = *version;
      batch_.clear();
      batch_bytes_ = 0;
      if (refused) co_return std::unexpected(std::move(*refused));
      co_return Result<void>();
    }
    if (version.error().code() != Code::conflict || run == kMostRuns) {
      co_return std::unexpected(std::move(version).error());
    }
    co_await transaction.restart();  // the sweeper was faster
  }
}

}  // namespace carrel::store
