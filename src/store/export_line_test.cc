#include "store/export_line.h"

#include <gtest/gtest.h>

#include "store/parts.h"
#include "store/record.h"

namespace carrel::store {
namespace {

Code refusal_of(std::string_view text) {
  const auto line = read_line(text);
  return line ? Code{} : line.error().code();
}
std::string record_with(std::string_view fields) {
  return R"({"app":"a","kind":"kv","store":"s",)" + std::string(fields) + "}";
}

TEST(ExportLine, IsPlainTextWhereItCanBe) {
  const RecordLine line{
      .app = "shop", .store = "carts", .name = "a/b", .value = "x\ny", .expires = 5};
  EXPECT_EQ(write_line(line),
            R"({"app":"shop","kind":"kv","store":"carts","name":"a/b","value":"x\ny","expires":5})"
            "\n");
  EXPECT_EQ(
      write_line(RecordLine{
          .app = "a", .kind = Kind::counter, .store = "s", .name = "\xff", .count = INT64_MIN}),
      R"({"app":"a","kind":"counter","store":"s","name64":"/w==","count":-9223372036854775808})"
      "\n");
}

TEST(ExportLine, ReadsAsItWasWritten) {
  std::string worst(kMaxValue, '\0');  // every byte is escaped
  for (const ExportLine& line : std::initializer_list<ExportLine>{
           HeaderLine{}, EndLine{}, PartLine{std::string(kPartBytes, '\xfe')},
           RecordLine{
               .app = "a", .store = "s", .name = std::string(kMaxName, '\1'), .value = worst},
           RecordLine{
               .app = "a", .kind = Kind::blob, .store = "s", .name = "n", .size = 1 << 30}}) {
    std::string text = write_line(line);
    text.pop_back();
    const auto again = read_line(text);
    ASSERT_TRUE(again) << again.error().describe();
    EXPECT_TRUE(*again == line);
  }
}

TEST(ExportLine, SaysWhatIsWrongWithIt) {
  for (const std::string& text : {
           std::string(),
           std::string("null"),
           std::string("[]"),
           std::string("3"),
           std::string("{}"),
           std::string("{\"end\":true"),
           std::string("{\"end\":false}"),
           std::string("{\"end\":true}x"),
           std::string("{\"end\":true,\"end\":true}"),
           std::string("{\"part64\":\"\"}"),
           std::string("{\"part64\":\"AA=\"}"),
           std::string("{\"part64\":\"AB==\"}"),
           record_with(R"("name":"n")"),
           record_with(R"("name":"","value":"v")"),
           record_with(R"("name":"n","value":1)"),
           record_with(R"("name":"n","value":"v","more":1)"),
           record_with(R"("name":"n","name64":"bg==","value":"v")"),
           record_with(R"("name":"n","value":"v","expires":-1)"),
           record_with(R"("name":"n","value":"v","expires":1.5)"),
           record_with(R"("name":"n","value":"v","expires":9223372036854775808)"),
           record_with(R"("name":["n"],"value":"v")"),
           record_with("\"name\":\"\xff\",\"value\":\"v\""),
           std::string(R"({"app":"a","kind":"secret","store":"s","name":"n","value":"v"})"),
           std::string(R"({"app":"","kind":"kv","store":"s","name":"n","value":"v"})"),
           std::string(R"({"app":"a","kind":"kv","store":"","name":"n","value":"v"})"),
           std::string(
               R"({"app":"a","kind":"counter","store":"s","name":"n","count":1,"expires":9})"),
           std::string(R"({"app":"a","kind":"blob","store":"s","name":"n","size":99999999999999})"),
       }) {
    EXPECT_EQ(refusal_of(text), Code::invalid_argument) << text;
  }
  EXPECT_EQ(refusal_of(R"({"carrel_export":2})"), Code::store_format);
  EXPECT_EQ(refusal_of(std::string(kMaxLine + 1, ' ')), Code::invalid_argument);
}

TEST(ExportLine, TakesNoRoomForWhatIsNestedDeeply) {
  EXPECT_EQ(refusal_of("{\"name\":" + std::string(6 << 20, '[')), Code::invalid_argument);
  EXPECT_EQ(refusal_of(std::string(6 << 20, '{')), Code::invalid_argument);
}

}  // namespace
}  // namespace carrel::store
