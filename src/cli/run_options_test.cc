#include "cli/run_options.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace carrel::cli {
namespace {

TEST(FolderGrant, RefusesWhatHasNoHostOrNoGuest) {
  for (const char* text : {"", ":ro", "::/data", "::", "/srv::", "/srv::/data:rw", "a:b"}) {
    EXPECT_FALSE(parse_folder_grant(text)) << text;
  }
}

TEST(FolderGrant, RefusesAGuestNameThatLeavesTheRoot) {
  EXPECT_FALSE(parse_folder_grant("/srv::/data/../.."));
  EXPECT_FALSE(parse_folder_grant(".."));
}

TEST(FolderGrant, SplitsHostGuestAndAccess) {
  auto grant = parse_folder_grant("/srv/files::/data:ro");
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->host, "/srv/files");
  EXPECT_EQ(grant->name, "/data");
  EXPECT_EQ(grant->place, "/data");
  EXPECT_EQ(grant->access, FolderAccess::read_only);
}

TEST(FolderGrant, GivesAFolderAloneItsOwnName) {
  auto grant = parse_folder_grant(".");
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->name, ".");
  EXPECT_EQ(grant->place, "/");
  EXPECT_EQ(grant->access, FolderAccess::read_write);
  EXPECT_EQ(parse_folder_grant("./a//b/")->place, "/a/b");
}

TEST(Variable, RefusesAnEmptyName) {
  EXPECT_FALSE(parse_variable(""));
  EXPECT_FALSE(parse_variable("=value"));
}

TEST(Variable, KeepsWhatIsGivenAndInheritsWhatIsNot) {
  EXPECT_EQ(**parse_variable("A=b=c"), "A=b=c");
  EXPECT_EQ(**parse_variable("A="), "A=");
  ::setenv("CARREL_TEST_VARIABLE", "here", 1);
  EXPECT_EQ(**parse_variable("CARREL_TEST_VARIABLE"), "CARREL_TEST_VARIABLE=here");
  ::unsetenv("CARREL_TEST_VARIABLE");
  EXPECT_EQ(*parse_variable("CARREL_TEST_VARIABLE"), std::nullopt);
}

}  // namespace
}  // namespace carrel::cli
