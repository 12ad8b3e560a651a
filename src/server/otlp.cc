#include "server/otlp.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/hex.h"

namespace carrel::server {
namespace {

using Json = nlohmann::json;
using observe::SpanRecord;

constexpr int kStatusError = 2;  // of OTLP

// 64-bit numbers are texts in OTLP's JSON.
std::string nanos(WallTime time) {
  return std::to_string(
      std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count());
}

Json attribute(std::string_view key, const SpanRecord::Value& value) {
  const auto* const text = std::get_if<std::string>(&value);
  Json typed = text != nullptr ? Json{{"stringValue", *text}}
                               : Json{{"intValue", std::to_string(std::get<1>(value))}};
  return {{"key", key}, {"value", std::move(typed)}};
}

Json describe(const SpanRecord& span) {
  Json json = {{"traceId", span.context.trace_text()},
               {"spanId", span.context.span_text()},
               {"name", span.name},
               {"kind", static_cast<int>(span.kind)},
               {"startTimeUnixNano", nanos(span.begin)},
               {"endTimeUnixNano", nanos(span.end)},
               {"flags", span.context.is_recorded() ? 1 : 0}};
  if (std::ranges::any_of(span.parent, [](std::uint8_t byte) { return byte != 0; }))
    json["parentSpanId"] = to_hex(std::as_bytes(std::span(span.parent)));
  if (!span.context.state.empty()) json["traceState"] = span.context.state;
  for (const auto& [key, value] : span.attributes)
    json["attributes"].push_back(attribute(key, value));
  for (const auto& [name, time] : span.events)
    json["events"].push_back({{"name", name}, {"timeUnixNano", nanos(time)}});
  if (!span.failure.empty()) json["status"] = {{"code", kStatusError}, {"message", span.failure}};
  return json;
}

}  // namespace

std::string otlp_json(std::span<const SpanRecord> spans, std::string_view version) {
  Json list = Json::array();
  for (const SpanRecord& span : spans) list.push_back(describe(span));
  const Json scope = {{"scope", {{"name", "carrel"}, {"version", version}}},
                      {"spans", std::move(list)}};
  const Json resource = {
      {"attributes",
       {attribute("service.name", "carrel"), attribute("service.version", std::string(version))}}};
  const Json whole = {
      {"resourceSpans", {{{"resource", resource}, {"scopeSpans", Json::array({scope})}}}}};
  return whole.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace carrel::server
