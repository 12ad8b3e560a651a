#include "patterns/hook/cloud_event.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "patterns/hook/event_record.h"

namespace carrel::hook {
namespace {

using app::EventFormat;
using List = std::vector<net::Header>;

Result<CloudEvent> read(List headers, std::string body) {
  net::Request request;
  request.headers = std::move(headers);
  return read_event(request, std::move(body));
}

const List kBinary = {{"ce-specversion", "1.0"},
                      {"Ce-Id", "7"},
                      {"ce-source", "/orders"},
                      {"ce-type", "order.created"},
                      {"content-type", "application/json; charset=utf-8"}};
const List kStructured = {{"Content-Type", "application/CloudEvents+json; charset=utf-8"}};

TEST(CloudEvent, IsTheBodyAloneWhereNothingElseIsSaid) {
  const auto event = read({{"content-type", "application/json"}}, R"({"a":1.10})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->data, R"({"a":1.10})");
  EXPECT_EQ(event->id, "");
}

TEST(CloudEvent, IsReadInBinaryMode) {
  List headers = kBinary;
  headers.push_back({"ce-subject", "caf%C3%A9%20%22x%22"});
  headers.push_back({"ce-tracestate", R"("a \"b\"")"});
  const auto event = read(headers, R"({"a":1.10})");
  ASSERT_TRUE(event) << event.error().message();
  EXPECT_EQ(event->id, "7");
  EXPECT_EQ(event->source, "/orders");
  EXPECT_EQ(event->type, "order.created");
  EXPECT_EQ(event->subject, "caf\xc3\xa9 \"x\"");
  EXPECT_EQ(event->data, R"({"a":1.10})");
  ASSERT_EQ(event->extensions.size(), 1U);
  EXPECT_EQ(event->extensions[0].second, "a \"b\"");
}

TEST(CloudEvent, IsReadInStructuredMode) {
  const auto event = read(kStructured, R"({"specversion":"1.0","id":"7","source":"/o","type":"t",
      "subject":null,"n":5,"data":{"b":[1,2]}})");
  ASSERT_TRUE(event) << event.error().message();
  EXPECT_EQ(event->id, "7");
  EXPECT_EQ(event->data, R"({"b":[1,2]})");
  EXPECT_EQ(event->extensions[0], (std::pair<std::string, std::string>("n", "5")));
  const auto bytes = read(kStructured, R"({"specversion":"1.0","id":"7","source":"/o","type":"t",
      "data_base64":"eyJhIjoxfQ=="})");
  ASSERT_TRUE(bytes);
  EXPECT_EQ(bytes->data, R"({"a":1})");
}

TEST(CloudEvent, ThatIsNoneIsRefused) {
  const auto with = [](List headers, std::string_view name, std::string_view value) {
    headers.push_back({name, value});
    return headers;
  };
  const auto without = [](std::string_view name) {
    List headers;
    for (const auto& header : kBinary)
      if (!net::same_name(header.name, name)) headers.push_back(header);
    return headers;
  };
  for (const auto* name : {"ce-id", "ce-source", "ce-type", "ce-specversion"})
    EXPECT_FALSE(read(without(name), "{}")) << name;
  for (const auto& [name, value] : List{{"CE-ID", "8"},
                                        {"ce-subject", "%"},
                                        {"ce-subject", "%zz"},
                                        {"ce-subject", "%C0%80"},
                                        {"ce-subject", "\"\\\""},
                                        {"ce-subject", ""},
                                        {"ce-subject", "a%0Db"},
                                        {"ce-with-dash", "x"},
                                        {"ce-datacontenttype", "text/plain"}})
    EXPECT_FALSE(read(with(kBinary, name, value), "{}")) << name << value;
  EXPECT_FALSE(read(with(without("ce-specversion"), "ce-specversion", "0.3"), "{}"));
  EXPECT_FALSE(read(with(without("content-type"), "content-type", "text/plain"), "{}"));
  EXPECT_FALSE(read({{"content-type", "application/cloudevents-batch+json"}}, "[]"));
  EXPECT_FALSE(read({{"content-type", "application/cloudevents+avro"}}, "{}"));
  const std::string_view head = R"({"specversion":"1.0","id":"7","source":"/o","type":"t")";
  EXPECT_TRUE(read(kStructured, std::string(head) + "}"));
  for (const std::string_view bad :
       {R"(,"data":1,"data_base64":"eA=="})", R"(,"data_base64":"?"})", R"(,"x":{}})",
        R"(,"x":1.5})", R"(,"X":"a"})", R"(,"id":"8"})", ""})
    EXPECT_FALSE(read(kStructured, std::string(head) + std::string(bad))) << bad;
  for (const std::string_view bad : {"[]", "1", "", "{}"})
    EXPECT_FALSE(read(kStructured, std::string(bad)));
}

TEST(CloudEvent, HasBoundsForWhatItCarries) {
  List headers = kBinary;
  const std::string longest(kMostAttribute, 'x');
  headers.push_back({"ce-subject", longest});
  EXPECT_TRUE(read(headers, "{}"));
  const std::string longer = longest + "x";
  headers.back().value = longer;
  EXPECT_FALSE(read(headers, "{}"));
  headers.pop_back();
  std::vector<std::string> names;
  for (std::size_t i = 0; i <= kMostExtensions; ++i) names.push_back("ce-x" + std::to_string(i));
  for (const std::string& name : names) headers.push_back({name, "1"});
  EXPECT_FALSE(read(headers, "{}"));
}

CloudEvent some() {
  return {.id = "7",
          .source = "/orders",
          .type = "order.created",
          .subject = "caf\xc3\xa9 %\"",
          .time = "2026-01-02T03:04:05.000Z",
          .extensions = {{"tenant", "m1"}},
          .data = R"({"a":1.10})"};
}

TEST(CloudEvent, IsWrittenAsStandardWebhooksHaveIt) {
  const auto message = message_of(some(), EventFormat::standard);
  EXPECT_EQ(message.body,
            R"({"type":"order.created","timestamp":"2026-01-02T03:04:05.000Z","data":{"a":1.10}})");
}

TEST(CloudEvent, IsReadAgainAsItWasWrittenInBothModes) {
  for (const auto format : {EventFormat::binary, EventFormat::structured}) {
    const auto message = message_of(some(), format);
    List headers;
    for (const auto& [name, value] : message.headers) headers.push_back({name, value});
    const auto event = read(headers, message.body);
    ASSERT_TRUE(event) << event.error().message();
    EXPECT_EQ(event->id, some().id);
    EXPECT_EQ(event->source, some().source);
    EXPECT_EQ(event->type, some().type);
    EXPECT_EQ(event->subject, some().subject);
    EXPECT_EQ(event->time, some().time);
    EXPECT_EQ(event->extensions, some().extensions);
    EXPECT_EQ(nlohmann::json::parse(event->data), nlohmann::json::parse(some().data));
  }
}

TEST(CloudEvent, IsKeptAsItIs) {
  const std::string record = encode(some());
  const auto event = decode_event(record);
  ASSERT_TRUE(event);
  EXPECT_EQ(encode(*event), record);
  EXPECT_EQ(event->data, some().data);
  for (std::size_t size = 0; size < record.size(); ++size)
    EXPECT_FALSE(decode_event(std::string_view(record).substr(0, size)));
}

TEST(CloudEvent, HasATimeToTheMillisecond) {
  EXPECT_EQ(rfc3339(WallTime(std::chrono::milliseconds(1'614'265'330'007))),
            "2021-02-25T15:02:10.007Z");
}

TEST(EventId, SortsByTime) {
  const auto first = new_id("evt", WallTime(std::chrono::milliseconds(1)));
  const auto second = new_id("evt", WallTime(std::chrono::milliseconds(2)));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->size(), 4U + 32U);
  EXPECT_LT(*first, *second);
  EXPECT_EQ(first->find('.'), std::string::npos);
}

}  // namespace
}  // namespace carrel::hook
