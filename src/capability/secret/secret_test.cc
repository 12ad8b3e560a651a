#include "capability/secret/secret.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "store/sealer.h"
#include "turn/state.h"

namespace carrel::capability::secret {
namespace {

using wasi::Errno;
using wasi::OpenHow;

class NoLog final : public turn::GuestLog {
  void line(const turn::ModuleSetup&, std::uint64_t, std::string_view) override {}
};

class NoReply final : public net::ReplySink {
 public:
  bool started() const override { return false; }
  async::Task<Result<void>> send(net::ReplyHead, std::string_view) override {
    co_return Result<void>();
  }
  async::Task<Result<void>> start(net::ReplyHead, std::optional<std::uint64_t>) override {
    co_return Result<void>();
  }
  async::Task<Result<void>> write(std::string_view) override { co_return Result<void>(); }
  async::Task<Result<void>> finish() override { co_return Result<void>(); }
  void abort() override {}
};

class TestIo final : public wasi::IoContext {
 public:
  void wait_for(async::Task<void> until) override { waiting = std::move(until); }
  const Clock& clock() const override { return system_clock(); }
  bool charge_memory(std::int64_t) override { return true; }
  async::Task<void> waiting;
};

// KEY and OTHER are set and granted, UNSET only granted, DENIED only set.
class SecretTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "carrel-secret-XXXXXX";
    folder = mkdtemp(pattern.data());
    store = std::move(*store::Store::open({.folder = folder / "store"}));
    services.store = &store->attach(shard);
    services.sealer = &sealer;
    setup.tenant = TenantName("shop");
    setup.grants.secrets = {"OTHER", "KEY", "UNSET", "KEY"};
    state.emplace(services, setup.tenant, store::TransactionLimits());
    for (const auto& name : {"KEY", "OTHER", "DENIED"})
      set(name, sealer.seal(setup.tenant, name, name));
    turn.state = &*state;
    node = mount(turn);
  }
  void TearDown() override {
    node.reset();
    state.reset();
    store->stop();
    store.reset();
    std::filesystem::remove_all(folder);
  }
  void set(const std::string& name, const std::string& sealed) {
    ASSERT_TRUE(state->transaction.put({store::Kind::secret, ""}, name, {.bytes = sealed}));
  }
  static async::Task<void> finish(async::Task<void> waiting) { co_await std::move(waiting); }
  template <typename Operation>
  auto ask(Operation operation) {
    auto answer = operation();
    for (int i = 0; i < 10 && !answer && answer.error() == Errno::again; ++i) {
      shard.run_until_done(finish(std::move(io.waiting)));
      answer = operation();
    }
    return answer;
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

  std::filesystem::path folder;
  async::Shard shard;
  std::unique_ptr<store::Store> store;
  store::Sealer sealer{NodeKey{}};
  turn::Services services;
  turn::ModuleSetup setup;
  turn::Event event;
  NoReply reply;
  NoLog log;
  TestIo io;
  std::optional<turn::State> state;
  turn::Turn turn{.module = setup, .event = event, .reply = reply, .log = log};
  std::shared_ptr<wasi::Node> node;
};

TEST_F(SecretTest, WhatIsReadIsToldOnce) {
  EXPECT_TRUE(state->told_secrets.empty());
  EXPECT_EQ(read("KEY"), "KEY");
  EXPECT_EQ(read("KEY"), "KEY");
  EXPECT_EQ(read("OTHER"), "OTHER");
  EXPECT_EQ(state->told_secrets, (std::vector<std::string>{"KEY", "OTHER"}));
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
