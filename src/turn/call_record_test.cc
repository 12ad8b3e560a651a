#include "turn/call_record.h"

#include <gtest/gtest.h>

namespace carrel::turn {
namespace {

void answer(CallRecord& calls, const std::string& request, std::string_view body) {
  const auto call = calls.begin(request);
  calls.keep(*call, body);
  call->complete = true;
}

TEST(CallRecord, GivesTheSameCallsTheSameAnswersInTheirOrder) {
  CallRecord calls;
  answer(calls, "a", "1");
  answer(calls, "a", "2");
  EXPECT_FALSE(calls.replaying());
  ASSERT_TRUE(calls.rewind());
  EXPECT_TRUE(calls.replaying());
  EXPECT_EQ(calls.replay("a")->body, "1");
  EXPECT_EQ(calls.replay("a")->body, "2");
  EXPECT_EQ(calls.replay("a"), nullptr) << "a third is a new call";
  EXPECT_FALSE(calls.diverged());
  EXPECT_EQ(calls.count(), 2U);
}

TEST(CallRecord, ACallThatDiffersEndsReplayingForGood) {
  CallRecord calls;
  answer(calls, "a", "1");
  ASSERT_TRUE(calls.rewind());
  EXPECT_EQ(calls.replay("b"), nullptr);
  EXPECT_TRUE(calls.diverged());
  EXPECT_FALSE(calls.rewind());
}

TEST(CallRecord, ATurnWhoseAnswerIsNotCompleteIsNotRunAgain) {
  CallRecord calls;
  const auto call = calls.begin("a");
  calls.keep(*call, "half");
  EXPECT_FALSE(calls.rewind());
  call->complete = true;
  EXPECT_TRUE(calls.rewind());
}

TEST(CallRecord, KeepsToTheLimitOfAllAnswersAndNoFurther) {
  CallRecord calls;
  answer(calls, "a", std::string(kMaxRecorded - 3, 'x'));
  answer(calls, "b", "y");
  EXPECT_TRUE(calls.rewind());
  const auto first = calls.replay("a");
  EXPECT_EQ(calls.replay("b")->body, "y");
  answer(calls, "c", "z");
  EXPECT_FALSE(calls.rewind());
  EXPECT_EQ(first->body.size(), kMaxRecorded - 3) << "who still reads it may go on";
}

TEST(CallRecord, CountsRequestsAndHeads) {
  CallRecord calls;
  const auto call = calls.begin(std::string(kMaxRecorded - 2, 'q'));
  calls.keep_head(*call, "he");
  call->complete = true;
  EXPECT_TRUE(calls.rewind());
  EXPECT_NE(calls.replay(std::string(kMaxRecorded - 2, 'q')), nullptr);
  calls.keep_head(*calls.begin(""), "h");
  EXPECT_EQ(calls.count(), 2U);
  EXPECT_FALSE(calls.rewind());
  EXPECT_EQ(calls.begin("")->head, "") << "calls go on all the same";
}

}  // namespace
}  // namespace carrel::turn
