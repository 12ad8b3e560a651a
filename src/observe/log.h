// The error log: events with a name and fields, as JSON lines for machines or as text for a
// terminal.
//
//   {"time":"2026-01-02T03:04:05.000006Z","level":"error","event":"turn_failed","id":"00000000000000a1",...}
//
// Secrets never reach it: callers log names, codes and ids, not headers or query strings.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <variant>

#include "base/clock.h"
#include "base/result.h"
#include "observe/line_writer.h"

namespace carrel::observe {

enum class Level : std::uint8_t { debug, info, warn, error, off };

std::string_view level_name(Level level);
// Errors: invalid_argument listing the names.
Result<Level> level_of(std::string_view name);

struct HexId {
  std::uint64_t value;
};

struct Field {
  std::string_view name;
  std::variant<std::string_view, std::uint64_t, HexId> value;
};

// Owner: the composition root; outlives everything that logs. Thread-safe; never blocks for long.
class Log {
 public:
  virtual ~Log() = default;
  virtual bool wants(Level level) const = 0;
  virtual void write(Level level, std::string_view event, std::initializer_list<Field> fields) = 0;
};

enum class LogForm { json, text };

// Text strings longer than 4 KiB are cut.
std::unique_ptr<Log> make_log(std::shared_ptr<LineWriter> writer, Level least, LogForm form,
                              const Clock& clock);

// For what must log somewhere and is not heard.
std::unique_ptr<Log> make_silent_log();

}  // namespace carrel::observe
