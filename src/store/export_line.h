// The lines of an export: one a record, as JSON. docs/reference/storage.md has the format.
//
//   {"carrel_export":1}
//   {"app":"shop","kind":"kv","store":"carts","name":"a/b","value":"text","expires":1800000000000}
//   {"app":"shop","kind":"counter","store":"stock","name":"hat","count":-3}
//   {"app":"shop","kind":"blob","store":"images","name":"hat.png","size":1500000}
//   {"part64":"..."}
//   {"end":true}
//
// What is not UTF-8 stands as base64, in "name64" and "value64". A blob's parts follow it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "store/key.h"

namespace carrel::store {

inline constexpr std::int64_t kExportFormat = 1;
// A value of the largest size whose every byte is escaped, with the longest names.
inline constexpr std::size_t kMaxLine = 7 << 20;

struct HeaderLine {
  std::int64_t format = kExportFormat;
  bool operator==(const HeaderLine&) const = default;
};
struct RecordLine {
  std::string app;
  Kind kind = Kind::value;
  std::string store, name;
  std::string value;          // of a value
  std::int64_t count = 0;     // of a counter
  std::uint64_t size = 0;     // of a blob
  std::uint64_t expires = 0;  // as in Record; 0: never
  bool operator==(const RecordLine&) const = default;
};
struct PartLine {
  std::string bytes;  // one to kPartBytes
  bool operator==(const PartLine&) const = default;
};
struct EndLine {
  bool operator==(const EndLine&) const = default;
};
using ExportLine = std::variant<HeaderLine, RecordLine, PartLine, EndLine>;

// With the end of the line. Precondition: app and store are UTF-8.
std::string write_line(const ExportLine& line);

// Without the end of the line. Takes no more memory than a few times the line. Errors:
// invalid_argument that says what is wrong; store_format for an export of another version.
Result<ExportLine> read_line(std::string_view text);

}  // namespace carrel::store
