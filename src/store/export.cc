#include "store/export.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "store/export_line.h"
#include "store/record.h"

namespace carrel::store {
namespace {

std::unexpected<Error> damaged(std::string what) {
  return fail(Code::data_corrupt, std::move(what), "carrel store check says what is damaged");
}

class Exporter {
 public:
  Exporter(const Parts& parts, std::uint64_t now, const LineSink& sink)
      : parts_(parts), now_(now), sink_(sink) {}

  Result<void> write(const ExportLine& line) {
    const std::string text = write_line(line);
    report.bytes += text.size();
    return sink_(text);
  }
  Result<void> add(std::string_view key, std::string_view value);

  ExportReport report;

 private:
  Result<void> add_record(const Key& key, const RecordView& record);
  Result<void> add_blob(RecordLine line, std::string_view bytes);
  const Parts& parts_;
  const std::uint64_t now_;
  const LineSink& sink_;
};

Result<void> Exporter::add(std::string_view key, std::string_view value) {
  const auto decoded = decode(key);
  if (!decoded) return damaged("a key cannot be understood");
  switch (decoded->kind) {
    case Kind::value:
    case Kind::counter:
    case Kind::blob:
      break;
    case Kind::secret:
      ++report.secrets;
      return {};
    case Kind::reply:
      ++report.replies;
      return {};
    default:
      return {};
  }
  const auto record = view_record(value);
  if (!record || !is_utf8(decoded->tenant) || !is_utf8(decoded->store)) {
    return damaged("a record is damaged");
  }
  if (record->expires != 0 && record->expires <= now_) return {};
  return add_record(*decoded, *record);
}

Result<void> Exporter::add_record(const Key& key, const RecordView& record) {
  RecordLine line{.app = std::string(key.tenant),
                  .kind = key.kind,
                  .store = std::string(key.store),
                  .name = std::string(key.name),
                  .expires = record.expires};
  if (key.kind == Kind::blob) return add_blob(std::move(line), record.bytes);
  if (key.kind == Kind::value) {
    line.value = record.bytes;
    ++report.values;
    return write(line);
  }
  const auto count = decode_count(record.bytes);
  if (!count) return damaged("a counter's record is damaged");
  line.count = *count;
  line.expires = 0;
  ++report.counters;
  return write(line);
}

Result<void> Exporter::add_blob(RecordLine line, std::string_view bytes) {
  const auto manifest = decode_manifest(bytes);
  if (!manifest) return damaged("a blob's record is damaged");
  line.size = manifest->size;
  ++report.blobs;
  const TenantName tenant(line.app);
  CARREL_TRY_VOID(write(std::move(line)));
  std::uint64_t left = manifest->size;
  for (const PartHash& hash : manifest->parts) {
    auto part = parts_.read(tenant, hash);
    if (!part && part.error().code() == Code::not_found) return damaged("a blob's part is lost");
    if (!part) return std::unexpected(std::move(part).error());
    const auto expected = std::min<std::uint64_t>(left, kPartBytes);
    if (part->size() != expected) return damaged("a blob's part has another size than it should");
    left -= expected;
    CARREL_TRY_VOID(write(PartLine{std::move(*part)}));
  }
  return {};
}

}  // namespace

Result<ExportReport> export_records(const std::shared_ptr<const DatabaseView>& view,
                                    const Parts& parts, const ExportOptions& options,
                                    const LineSink& sink) {
  const std::string from = options.app ? prefix_of(options.app->str()) : "";
  Exporter exporter(parts, options.now, sink);
  Cursor cursor(view, end_of(from), Reach::disk);
  auto state = cursor.seek(from);
  if (options.app && state == Cursor::State::end) {
    return fail(Code::not_found, fmt::format("nothing is kept for an app {}", options.app->str()),
                "without --app everything is exported");
  }
  CARREL_TRY_VOID(exporter.write(HeaderLine{}));
  for (; state == Cursor::State::valid; state = cursor.next()) {
    CARREL_TRY_VOID(exporter.add(cursor.key(), cursor.value()));
  }
  if (state == Cursor::State::failed) return std::unexpected(cursor.error());
  CARREL_TRY_VOID(exporter.write(EndLine{}));
  return exporter.report;
}

}  // namespace carrel::store
