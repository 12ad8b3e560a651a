#include "capability/secret/secret.h"

#include <gtest/gtest.h>

#include "capability/state/test_turn.h"
#include "store/sealer.h"

namespace carrel::capability::secret {
namespace {

using wasi::Errno;
using wasi::OpenHow;

// KEY and OTHER are set and granted, UNSET only granted, DENIED only set.
class SecretTest : public state::StoredTurn {
 protected:
  void SetUp() override {
    services.sealer = &sealer;
    setup.grants.secrets = {"OTHER", "KEY", "UNSET", "KEY"};
    open();
    for (const auto& name : {"KEY", "OTHER", "DENIED"})
      set(name, sealer.seal(setup.tenant, name, name));
  }
  void mount_all() override { node = mount(turn); }
  void unmount_all() override { node.reset(); }
  void set(const std::string& name, const std::string& sealed) {
    ASSERT_TRUE(state->transaction.put({store::Kind::secret, ""}, name, {.bytes = sealed}));
  }
  Errno open_errno(std::string_view path, const OpenHow& how = {.read = true}) {
    const auto file = ask([&] { return node->open(io, path, how); });
    return file ? Errno::success : file.error();
  }
  std::string read(std::string_view path) {
    auto file = ask([&] { return node->open(io, path, {.read = true}); });
    if (!file) return "?";
    std::string text(100, '\0');
    const std::span<std::byte> bytes = std::as_writable_bytes(std::span(text));
    const auto done = (*file)->read(io, std::span(&bytes, 1));
    return done ? text.substr(0, *done) : "?";
  }

  store::Sealer sealer{NodeKey{}};
  std::shared_ptr<wasi::Node> node;
};

TEST_F(SecretTest, WhatIsReadIsToldOnce) {
  EXPECT_TRUE(state->told_secrets.empty());
  EXPECT_EQ(read("KEY"), "KEY");
  EXPECT_EQ(read("KEY"), "KEY");
  EXPECT_EQ(read("OTHER"), "OTHER");
  ASSERT_EQ(state->told_secrets.size(), 2U);
  EXPECT_EQ(state->told_secrets[0].view(), "KEY");
  EXPECT_EQ(state->told_secrets[1].view(), "OTHER");
}

TEST_F(SecretTest, OnlyWhatIsGrantedAndSetIsThere) {
  auto root = ask([&] { return node->open(io, "", {.folder = true, .read = true}); });
  ASSERT_TRUE(root);
  const auto entries = ask([&] { return (*root)->list(io, 0, 100); });
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ((*entries)[0].name, "KEY");
  EXPECT_EQ((*entries)[1].name, "OTHER");
  for (const auto* path : {"DENIED", "UNSET", "key", "KEY%00", "%", "%2", "DENIED/x"}) {
    EXPECT_EQ(open_errno(path), Errno::noent) << path;
  }
  EXPECT_EQ(open_errno("KEY/x"), Errno::notdir);
  EXPECT_TRUE(state->told_secrets.empty());
}

TEST_F(SecretTest, NothingCanBeWritten) {
  EXPECT_EQ(open_errno("KEY", {.write = true}), Errno::rofs);
  EXPECT_EQ(open_errno("KEY", {.truncate = true, .read = true}), Errno::rofs);
  for (const auto* path : {"NEW", "UNSET", "DENIED"}) {
    EXPECT_EQ(open_errno(path, {.create = true, .write = true}), Errno::rofs) << path;
  }
  EXPECT_EQ(node->unlink(io, "KEY").error(), Errno::rofs);
  EXPECT_EQ(node->rename(io, "KEY", "OTHER").error(), Errno::rofs);
  EXPECT_EQ(node->make_folder(io, "x").error(), Errno::rofs);
  EXPECT_TRUE(state->told_secrets.empty());
}

TEST_F(SecretTest, ASealedValueUnderAnotherNameIsNotTold) {
  set("KEY", sealer.seal(setup.tenant, "DENIED", "hidden"));
  EXPECT_NE(open_errno("KEY"), Errno::success);
  set("KEY", "short");
  EXPECT_NE(open_errno("KEY"), Errno::success);
  EXPECT_EQ(ask([&] { return node->stat(io, "KEY", true); })->size, 0U);
  EXPECT_TRUE(state->told_secrets.empty());
}

}  // namespace
}  // namespace carrel::capability::secret
