#include "store/export_line.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/utf8.h"
#include "store/flat_object.h"
#include "store/parts.h"
#include "store/record.h"

namespace carrel::store {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostParts = (kMaxValue - 8) / sizeof(PartHash);  // that a manifest holds
constexpr std::uint64_t kMaxSize = kMostParts * kPartBytes;

void put_text(Json& json, const std::string& field, const std::string& bytes) {
  if (is_utf8(bytes)) {
    json[field] = bytes;
  } else {
    json[field + "64"] = to_base64(bytes);
  }
}

Json json_of(const HeaderLine& line) { return {{"carrel_export", line.format}}; }
Json json_of(const PartLine& line) { return {{"part64", to_base64(line.bytes)}}; }
Json json_of(const EndLine& /*line*/) { return {{"end", true}}; }
Json json_of(const RecordLine& line) {
  Json json{{"app", line.app}};
  json["kind"] = line.kind == Kind::blob ? "blob" : line.kind == Kind::counter ? "counter" : "kv";
  json["store"] = line.store;
  put_text(json, "name", line.name);
  if (line.kind == Kind::value) put_text(json, "value", line.value);
  if (line.kind == Kind::counter) json["count"] = line.count;
  if (line.kind == Kind::blob) json["size"] = line.size;
  if (line.expires != 0) json["expires"] = line.expires;
  return json;
}

std::unexpected<Error> wrong(std::string what, std::string help = {}) {
  return fail(Code::invalid_argument, std::move(what), std::move(help));
}

// The text of a field, or the bytes of the one with "64" after its name.
Result<std::string> take_bytes(FlatObject& object, const std::string& field) {
  if (!object.has(field + "64")) return object.take_text(field);
  CARREL_TRY(const std::string text, object.take_text(field + "64"));
  auto bytes = from_base64(text);
  if (!bytes) return wrong(fmt::format("\"{}64\" is not base64", field));
  return std::move(*bytes);
}

// An optional number that is not negative.
Result<std::uint64_t> take_size(FlatObject& object, const std::string& field, std::uint64_t most) {
  CARREL_TRY(const std::int64_t number, object.take_number(field));
  if (number < 0 || static_cast<std::uint64_t>(number) > most) {
    return wrong(fmt::format("\"{}\" is a number from 0 to {}", field, most));
  }
  return static_cast<std::uint64_t>(number);
}

Result<void> check_text(std::string_view what, std::string_view text, std::size_t most) {
  if (!text.empty() && text.size() <= most && !text.contains('\0')) return {};
  return wrong(fmt::format("\"{}\" has 1 to {} bytes, none of them zero", what, most));
}

Result<Kind> take_kind(FlatObject& object) {
  CARREL_TRY(const std::string kind, object.take_text("kind"));
  if (kind == "kv") return Kind::value;
  if (kind == "counter") return Kind::counter;
  if (kind == "blob") return Kind::blob;
  return wrong("\"kind\" is none of kv, counter and blob");
}

Result<void> take_content(FlatObject& object, RecordLine& record) {
  switch (record.kind) {
    case Kind::counter: {
      CARREL_TRY(record.count, object.take_number("count"));
      return {};
    }
    case Kind::blob: {
      CARREL_TRY(record.size, take_size(object, "size", kMaxSize));
      return {};
    }
    default: {
      CARREL_TRY(record.value, take_bytes(object, "value"));
      if (record.value.size() <= kMaxValue) return {};
      return wrong(fmt::format("a value has at most {} bytes", kMaxValue));
    }
  }
}

Result<ExportLine> record_of(FlatObject& object) {
  RecordLine record;
  CARREL_TRY(record.app, object.take_text("app"));
  CARREL_TRY_VOID(check_text("app", record.app, kMaxTenant));
  CARREL_TRY(record.kind, take_kind(object));
  CARREL_TRY(record.store, object.take_text("store"));
  CARREL_TRY_VOID(check_text("store", record.store, kMaxStoreName));
  CARREL_TRY(record.name, take_bytes(object, "name"));
  CARREL_TRY_VOID(check_name(record.name));
  CARREL_TRY_VOID(take_content(object, record));
  // A counter does not expire: what has an expiry has to be a field that is left over.
  if (object.has("expires") && record.kind != Kind::counter) {
    CARREL_TRY(record.expires, take_size(object, "expires", INT64_MAX));
  }
  return record;
}

Result<ExportLine> header_of(FlatObject& object) {
  CARREL_TRY(const std::int64_t format, object.take_number("carrel_export"));
  if (format == kExportFormat) return HeaderLine{};
  return fail(Code::store_format,
              fmt::format("it is an export of version {}, not {}", format, kExportFormat),
              "import it with the version of Carrel that made it");
}

Result<ExportLine> part_of(FlatObject& object) {
  CARREL_TRY(std::string bytes, take_bytes(object, "part"));
  if (!bytes.empty() && bytes.size() <= kPartBytes) return PartLine{std::move(bytes)};
  return wrong(fmt::format("a blob's part has 1 to {} bytes", kPartBytes));
}

Result<ExportLine> line_of(FlatObject& object) {
  if (object.has("carrel_export")) return header_of(object);
  if (object.has("part64")) return part_of(object);
  if (!object.has("end")) return record_of(object);
  CARREL_TRY_VOID(object.take_true("end"));
  return EndLine{};
}

}  // namespace

std::string write_line(const ExportLine& line) {
  const Json json = std::visit([](const auto& one) { return json_of(one); }, line);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<ExportLine> read_line(std::string_view text) {
  if (text.size() > kMaxLine) return wrong(fmt::format("it has more than {} bytes", kMaxLine));
  CARREL_TRY(FlatObject object, FlatObject::read(text));
  CARREL_TRY(ExportLine line, line_of(object));
  CARREL_TRY_VOID(object.expect_empty());
  return line;
}

}  // namespace carrel::store
