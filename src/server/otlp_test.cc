#include "server/otlp.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace carrel::server {
namespace {

using observe::SpanRecord;

SpanRecord span() {
  SpanRecord record{.context = *observe::parse_trace(
                        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "a=1"),
                    .name = "GET /",
                    .kind = SpanRecord::Kind::server,
                    .begin = WallTime(std::chrono::seconds(1)),
                    .end = WallTime(std::chrono::seconds(2))};
  record.attributes.emplace_back("url.path", std::string("/\xff\""));
  record.attributes.emplace_back("http.response.status_code", std::int64_t{502});
  record.events.emplace_back("run", WallTime(std::chrono::seconds(1)));
  record.failure = "guest_trapped";
  return record;
}

TEST(Otlp, SaysAllOfASpan) {
  const auto json = nlohmann::json::parse(otlp_json(std::vector{span()}, "1.2.3"));
  const auto& resource = json["resourceSpans"][0];
  EXPECT_EQ(resource["resource"]["attributes"][0],
            nlohmann::json::parse(R"({"key":"service.name","value":{"stringValue":"carrel"}})"));
  ASSERT_EQ(resource["scopeSpans"].size(), 1U);
  ASSERT_EQ(resource["scopeSpans"][0]["spans"].size(), 1U);
  EXPECT_EQ(resource["scopeSpans"][0]["spans"][0], nlohmann::json::parse(R"({
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7",
    "traceState": "a=1", "flags": 1, "name": "GET /", "kind": 2,
    "startTimeUnixNano": "1000000000", "endTimeUnixNano": "2000000000",
    "attributes": [
      {"key": "url.path", "value": {"stringValue": "/\ufffd\""}},
      {"key": "http.response.status_code", "value": {"intValue": "502"}}],
    "events": [{"name": "run", "timeUnixNano": "1000000000"}],
    "status": {"code": 2, "message": "guest_trapped"}})"));
}

TEST(Otlp, OnlyWhatHasAParentNamesIt) {
  auto record = span();
  record.parent[7] = 1;
  const auto text = otlp_json(std::vector{record}, "");
  EXPECT_NE(text.find(R"("parentSpanId":"0000000000000001")"), std::string::npos);
  EXPECT_EQ(otlp_json(std::vector{span()}, "").find("parentSpanId"), std::string::npos);
}

}  // namespace
}  // namespace carrel::server
