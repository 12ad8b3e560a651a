#include "patterns/hook/lane.h"

#include <gtest/gtest.h>

namespace carrel::hook {
namespace {

TEST(Lane, IsReadAsItWasWritten) {
  const Lane lane{.tenant = TenantName("shop/m1"),
                  .app = AppName("shop"),
                  .point = "order.created",
                  .binding = "crm"};
  EXPECT_EQ(lane_text(lane), "hook:shop/m1:shop:order.created:crm");
  const auto read = parse_lane(lane_text(lane));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->tenant, lane.tenant);
  EXPECT_EQ(read->app, lane.app);
  EXPECT_EQ(read->point, lane.point);
  EXPECT_EQ(read->binding, lane.binding);
}

TEST(Lane, OfAnotherPatternIsNone) {
  for (const std::string_view text :
       {"", "hook", "hook:a:b:c", "hook:a:b:c:", "hook::b:c:d", "queue:a:b:c:d", "hook:a:b:c:d:e"})
    EXPECT_FALSE(parse_lane(text)) << text;
}

}  // namespace
}  // namespace carrel::hook
