// Spans: what was done for a request, and how long each part of it took.
//
// A span is begun by whoever does the work and is over when it goes. Spans that have ended wait in
// a bounded buffer for whoever sends them away; when it is full new ones are dropped, and counted.
// Whether a trace is recorded is decided where it begins: by the caller, or by chance.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "observe/metrics.h"
#include "observe/trace_context.h"

namespace carrel::observe {

struct SpanRecord {
  enum class Kind : std::uint8_t { internal = 1, server = 2, client = 3 };  // as OTLP counts them
  using Value = std::variant<std::string, std::int64_t>;

  TraceContext context;
  std::array<std::uint8_t, 8> parent{};  // all zero: the trace begins with it
  std::string name;
  Kind kind = Kind::internal;
  WallTime begin, end;
  std::vector<std::pair<std::string_view, Value>> attributes;  // names are literals
  std::vector<std::pair<std::string_view, WallTime>> events;   // likewise
  std::string_view failure;  // a code of the catalogue; empty: it went well
};

class Tracer;

// Owner: who does the work. Thread: the tracer's shard. One that is empty takes everything and
// keeps nothing.
class Span {
 public:
  Span() = default;
  Span(Tracer& tracer, SpanRecord record);
  Span(Span&& other) noexcept;
  Span& operator=(Span&&) = delete;
  ~Span() { end(); }

  explicit operator bool() const { return tracer_ != nullptr; }
  // `name` is a literal.
  void say(std::string_view name, SpanRecord::Value value);
  void happened(std::string_view name);
  void fail(Code code);
  void end();

 private:
  Tracer* tracer_ = nullptr;
  SpanRecord record_;
};

struct TraceOptions {
  double ratio = 1;            // of traces that begin here
  std::size_t waiting = 2048;  // spans, at most
};

// Owner: the shard's unit; outlives its spans. Thread: its shard.
class Tracer {
 public:
  Tracer(const TraceOptions& options, const Clock& clock);
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // A place below `parent`, or at the start of a trace.
  TraceContext below(const std::optional<TraceContext>& parent);
  // The span of that place; an empty one, when the trace is not recorded.
  Span begin(const TraceContext& at, const std::optional<TraceContext>& parent,
             std::string_view name, SpanRecord::Kind kind);

  // Those that wait, and no longer do.
  std::vector<SpanRecord> take();
  std::size_t waiting() const { return ended_.size(); }
  const Clock& clock() const { return clock_; }

  // May be read by any thread.
  struct Figures {
    Counter sent, failed, dropped;  // spans; failed: not taken by the collector
  };
  Figures& figures() { return figures_; }
  const Figures& figures() const { return figures_; }

 private:
  friend class Span;
  void ended(SpanRecord record);

  const TraceOptions options_;
  const Clock& clock_;
  std::mt19937_64 random_;
  std::vector<SpanRecord> ended_;
  Figures figures_;
};

}  // namespace carrel::observe
