#include "wasi/paths.h"

#include <gtest/gtest.h>

#include "wasi/fake_files.h"

namespace carrel::wasi {
namespace {

// A node that wants to see the dots, as a host folder does.
class LinkedFolder final : public Node {
 public:
  bool resolves_dots() const override { return true; }
  Io<std::unique_ptr<OpenFile>> open(IoContext&, std::string_view, const OpenHow&) override {
    return fail(Errno::noent);
  }
  Io<FileStat> stat(IoContext&, std::string_view, bool) override { return fail(Errno::noent); }
};

struct Paths : ::testing::Test {
  Paths() {
    tree.mount("/a", std::make_shared<testing::FakeFolder>());
    tree.mount("/a/deep/er", std::make_shared<testing::FakeFolder>());
    tree.mount("/host", std::make_shared<LinkedFolder>());
  }
  Errno error(std::string_view text, std::string_view folder = "/") {
    const auto found = resolve(tree, folder, text);
    return found ? Errno::success : found.error();
  }
  Location at(std::string_view text, std::string_view folder = "/") {
    auto found = resolve(tree, folder, text);
    EXPECT_TRUE(found) << text;
    return found.value_or(Location{});
  }
  Tree tree;
};

TEST_F(Paths, RefuseWhatNoPathMayHold) {
  EXPECT_EQ(error(""), Errno::noent);
  EXPECT_EQ(error(std::string(kMaxPath + 1, 'x')), Errno::nametoolong);
  EXPECT_EQ(error(std::string_view("a\0b", 3)), Errno::inval);
  for (const char* text :
       {"\xff", "a/\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80"}) {
    EXPECT_EQ(error(text), Errno::ilseq) << text;
  }
  EXPECT_EQ(error("a/\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"), Errno::success);
}

TEST_F(Paths, NeverLeadAboveTheirFolder) {
  EXPECT_EQ(error("/a"), Errno::notcapable);
  EXPECT_EQ(error(".."), Errno::notcapable);
  EXPECT_EQ(error("a/../../a"), Errno::notcapable);
  EXPECT_EQ(error("../a", "/a"), Errno::notcapable);
  EXPECT_EQ(error("x/../..", "/a/b"), Errno::notcapable);
  EXPECT_EQ(error("x/../y", "/a"), Errno::success);
}

TEST_F(Paths, AreMadePlainForVirtualNodes) {
  EXPECT_EQ(at("./a//b/../c/.").path, "/a/c");
  EXPECT_EQ(at("./a//b/../c/.").rest, "c");
  EXPECT_EQ(at(".").path, "/");
  EXPECT_EQ(at("c", "/a/b").rest, "b/c");
}

TEST_F(Paths, SayWhenTheyMustBeAFolder) {
  EXPECT_FALSE(at("a/b").must_be_folder);
  for (const char* text : {"a/b/", "a/b/.", "a/b/c/..", "."})
    EXPECT_TRUE(at(text).must_be_folder) << text;
}

TEST_F(Paths, LeadToTheLongestMount) {
  EXPECT_EQ(at("a/deep/er/x").rest, "x");
  EXPECT_EQ(at("a/deep/error").rest, "deep/error");
  EXPECT_TRUE(at("a/deep/er").is_mount());
  EXPECT_EQ(at("ab").node, nullptr);
  EXPECT_FALSE(at("ab").folder_above_mounts);
}

TEST_F(Paths, KnowTheFoldersAboveMounts) {
  EXPECT_TRUE(at(".").folder_above_mounts);
  EXPECT_TRUE(at("a/deep").folder_above_mounts);
  EXPECT_FALSE(at("a/deep/er").folder_above_mounts);
  EXPECT_FALSE(at("nothing").folder_above_mounts);
}

TEST_F(Paths, KeepTheirDotsForNodesThatFollowLinks) {
  EXPECT_EQ(at("host/link/../x").rest, "link/../x");
  EXPECT_EQ(at("link/../x", "/host/sub").rest, "sub/link/../x");
  EXPECT_EQ(at("a/../host/./link/../x").rest, "link/../x");
  EXPECT_EQ(at("host/up/../../host/x").rest, "x") << "what left the mount is not left to it";
  EXPECT_EQ(at("host/x/../../a/b").rest, "b");
}

TEST(TreeTest, ListsEachNameAboveAMountOnce) {
  Tree tree;
  for (const char* path : {"/kv/a", "/kv/b", "/kvx", "/tmp"})
    tree.mount(path, std::make_shared<testing::FakeFolder>());
  EXPECT_EQ(tree.mounts_below("/"), (std::vector<std::string_view>{"kv", "kvx", "tmp"}));
  EXPECT_EQ(tree.mounts_below("/kv"), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_TRUE(tree.mounts_below("/kv/a").empty());
}

TEST(TreeTest, ALaterMountReplacesAnEarlierOne) {
  Tree tree;
  auto second = std::make_shared<testing::FakeFolder>();
  tree.mount("/a", std::make_shared<testing::FakeFolder>());
  tree.mount("/a", second);
  EXPECT_EQ(tree.find("/a/x").node, second.get());
}

TEST(TreeTest, TheRootMayBeAMount) {
  Tree tree;
  auto root = std::make_shared<testing::FakeFolder>();
  tree.mount("/", root);
  tree.mount("/tmp", std::make_shared<testing::FakeFolder>());
  EXPECT_EQ(tree.find("/etc/x").node, root.get());
  EXPECT_EQ(tree.find("/etc/x").rest, "etc/x");
  EXPECT_EQ(tree.find("/").rest, "");
  EXPECT_EQ(tree.find("/tmp/x").rest, "x");
}

}  // namespace
}  // namespace carrel::wasi
