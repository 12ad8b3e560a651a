#include "turn/grants.h"

#include <gtest/gtest.h>

namespace carrel::turn {
namespace {

TEST(Grants, OnlyWhatMayWriteIsGated) {
  Grants grants;
  EXPECT_FALSE(grants.any());
  EXPECT_FALSE(grants.gated());
  grants.kv = {{.store = "prices", .read = true}};
  grants.secrets = {"KEY"};
  grants.http = {{.scheme = "https", .host = "a.example"}};
  EXPECT_TRUE(grants.any());
  EXPECT_FALSE(grants.gated());
  for (auto store : {&Grants::kv, &Grants::counters, &Grants::blobs}) {
    Grants writer;
    (writer.*store) = {{.store = "a", .read = true}, {.store = "b", .write = true}};
    EXPECT_TRUE(writer.gated());
    EXPECT_TRUE(writer.any());
  }
}

}  // namespace
}  // namespace carrel::turn
