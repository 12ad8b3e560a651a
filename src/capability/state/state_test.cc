#include <gtest/gtest.h>

#include <string>

#include "capability/state/names.h"
#include "capability/state/store_errno.h"

namespace carrel::capability::state {
namespace {

using wasi::Errno;

Errno refused(std::string_view path) {
  const auto location = locate(path);
  return location ? Errno::success : location.error();
}

TEST(StateNames, EveryNameComesBackFromItsPath) {
  for (const std::string name :
       {"a", "a/b", "/", "a//b", "/a", "a/", "..", "a/../b", "%", "100%"}) {
    const auto location = locate("carts/" + path_of(name));
    ASSERT_TRUE(location) << name;
    EXPECT_EQ(location->store, "carts");
    EXPECT_EQ(location->name, name);
  }
  EXPECT_EQ(locate("s/%00")->name, std::string("\0", 1));
  EXPECT_EQ(locate("s/%2E%2E")->name, "..");
}

TEST(StateNames, APathOfOneSegmentIsTheStore) {
  EXPECT_FALSE(locate("carts")->inside);
  EXPECT_FALSE(locate("")->inside);
}

TEST(StateNames, BadEncodingsAndLongNamesAreRefused) {
  EXPECT_EQ(refused("s/a%2Fb"), Errno::inval);
  EXPECT_EQ(refused("s/%zz"), Errno::inval);
  EXPECT_EQ(refused("s/%"), Errno::inval);
  EXPECT_EQ(refused("s/" + std::string(1024, 'a')), Errno::success);
  EXPECT_EQ(refused("s/" + std::string(1025, 'a')), Errno::nametoolong);
  EXPECT_EQ(refused(std::string(65, 's') + "/a"), Errno::nametoolong);
}

TEST(StateErrno, SaysWhatAProgramCanActOn) {
  EXPECT_EQ(errno_of(Error(Code::snapshot_expired)), Errno::stale);
  EXPECT_EQ(errno_of(Error(Code::quota_exceeded)), Errno::dquot);
  EXPECT_EQ(errno_of(Error(Code::store_full)), Errno::nospc);
  EXPECT_EQ(errno_of(Error(Code::unavailable)), Errno::io);
}

}  // namespace
}  // namespace carrel::capability::state
