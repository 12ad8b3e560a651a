#include "patterns/hook/privacy.h"

#include <gtest/gtest.h>

namespace carrel::hook {
namespace {

using app::Record;

const Recording kWell{.input = R"({"a":"x","b":"y"})", .answer = R"({"a":"x"})"};
const Recording kFailed{.code = "hook_late", .input = R"({"a":"x"})"};

TEST(Privacy, OfNothingLetsNothingBeSeen) {
  EXPECT_FALSE(seen(Privacy(), kWell));
  EXPECT_FALSE(seen(Privacy(), kFailed));
}

TEST(Privacy, LetsFailuresBeSeenAlone) {
  const Privacy privacy{.record = Record::failures};
  EXPECT_FALSE(seen(privacy, kWell));
  EXPECT_EQ(seen(privacy, kFailed)->input, kFailed.input);
}

TEST(Privacy, HidesPlacesInInputsAndInWhatIsMadeOfThem) {
  Privacy privacy{.record = Record::all, .hidden = {"/a"}};
  EXPECT_EQ(seen(privacy, kWell)->input, R"({"a":"***","b":"y"})");
  EXPECT_EQ(seen(privacy, kWell)->answer, kWell.answer);
  privacy.in_answers = true;
  EXPECT_EQ(seen(privacy, kWell)->answer, R"({"a":"***"})");
}

TEST(Privacy, KeepsNoDocumentThatIsTooLarge) {
  const std::string large = "\"" + std::string(Recordings::kMostDocument, 'x') + "\"";
  EXPECT_EQ(seen({.record = Record::all}, {.input = large})->input, "");
}

TEST(Privacy, OfTwoVersionsIsTheStricterOfBoth) {
  const Privacy open{.record = Record::all, .hidden = {"/a"}};
  const Privacy other{.record = Record::failures, .hidden = {"/b"}, .in_answers = true};
  for (const Privacy& both : {stricter(open, other), stricter(other, open)}) {
    EXPECT_EQ(both.record, Record::failures);
    EXPECT_EQ(both.hidden.size(), 2U);
    EXPECT_TRUE(both.in_answers);
  }
  EXPECT_EQ(stricter(open, Privacy()).record, Record::none);
}

TEST(Privacy, IsThePoints) {
  Point point{.name = "cart", .combine = Combine::all, .record = Record::all, .hidden = {"/a"}};
  EXPECT_FALSE(privacy_of(point).in_answers);
  EXPECT_EQ(privacy_of(point).hidden, point.hidden);
  for (const Combine combine : {Combine::chain, Combine::merge}) {
    point.combine = combine;
    EXPECT_TRUE(privacy_of(point).in_answers);
  }
}

}  // namespace
}  // namespace carrel::hook
