#include "patterns/function/idempotency.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "turn/kept_body.h"

namespace carrel::function {
namespace {

using Before = Result<std::optional<turn::HeldReply>>;

class IdempotencyTest : public testing::Test {
 protected:
  IdempotencyTest() {
    std::string pattern = testing::TempDir() + "carrel-replies-XXXXXX";
    folder = mkdtemp(pattern.data());
    store = std::move(*store::Store::open({.folder = folder / "store"}));
    services.store = &store->attach(shard);
    request.method = "POST";
    request.target = "/pay";
    module.grants.kv = {{.store = "carts", .write = true}};
  }
  ~IdempotencyTest() override {
    store->stop();
    store.reset();
    std::filesystem::remove_all(folder);
  }

  enum class End { commits, fails };
  static async::Task<void> turn(turn::State& state, Idempotency& idempotency, End end,
                                Before& before) {
    before = co_await idempotency.before(state);
    if (!before || *before || end == End::fails) co_return;
    turn::HeldReply reply{.head = {.status = 201, .headers = {{"x-a", "\xff"}}},
                          .trailers = {{"x-sum", "\xff"}}};
    EXPECT_TRUE(reply.body.append(std::string_view("a\0b", 3)));
    EXPECT_TRUE(co_await idempotency.after(state, reply));
    EXPECT_TRUE(co_await state.transaction.commit());
  }
  Before run(std::string body, End end = End::commits) {
    async::MemorySource source(std::move(body));
    turn::KeptBody kept(source);
    turn::State state(services, TenantName("shop"), {});
    state.body = &kept;
    Idempotency idempotency(ModuleName("pay"), "key", request);
    Before before;
    shard.run_until_done(turn(state, idempotency, end, before));
    return before;
  }

  std::filesystem::path folder;
  async::Shard shard;
  std::unique_ptr<store::Store> store;
  turn::Services services;
  net::Request request;
  turn::ModuleSetup module;
};

TEST_F(IdempotencyTest, TheSameRequestAgainGetsTheFirstReply) {
  const auto first = run("one");
  ASSERT_TRUE(first);
  EXPECT_FALSE(*first);
  const auto again = run("one");
  ASSERT_TRUE(again && *again);
  EXPECT_EQ((*again)->head.status, 201);
  EXPECT_EQ((*again)->head.headers, (std::vector<std::pair<std::string, std::string>>{
                                        {"x-a", "\xff"}, {"idempotency-replayed", "true"}}));
  EXPECT_EQ((*again)->body.memory(), std::string_view("a\0b", 3));
  EXPECT_EQ((*again)->trailers, (net::Fields{{"x-sum", "\xff"}}));
}

TEST_F(IdempotencyTest, AnotherRequestWithTheKeyIsRefused) {
  ASSERT_TRUE(run("one"));
  const auto other = run("two");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code(), Code::idempotency_mismatch);
  EXPECT_EQ(http_status(other.error().code()), 422);
}

TEST_F(IdempotencyTest, ATurnThatFailsStoresNothing) {
  ASSERT_TRUE(run("one", End::fails));
  const auto other = run("two");
  ASSERT_TRUE(other);
  EXPECT_FALSE(*other);
}

TEST_F(IdempotencyTest, AKeyHasItsBounds) {
  const auto key = [&](std::string_view value) {
    request.headers = {{"Idempotency-Key", value}};
    return idempotency_key(request, module);
  };
  EXPECT_FALSE(key(""));
  EXPECT_EQ(**key("\"a\""), "a");
  EXPECT_EQ(**key("\""), "\"");
  EXPECT_EQ(key("\"\"")->error().code(), Code::bad_request);
  EXPECT_TRUE(*key(std::string(kMaxIdempotencyKey, 'k')));
  EXPECT_FALSE(*key(std::string(kMaxIdempotencyKey + 1, 'k')));
  request.method = "GET";
  EXPECT_FALSE(key("a"));
  request.method = "POST";
  module.grants = {};
  EXPECT_FALSE(key("a"));
}

TEST_F(IdempotencyTest, AnEventIsItsOwnKey) {
  const auto key = [&](std::vector<net::Header> headers) {
    request.headers = std::move(headers);
    const auto found = idempotency_key(request, module);
    return found ? **found : std::string();
  };
  const net::Header version{"ce-specversion", "1.0"}, source{"ce-source", "/shop"},
      id{"ce-id", "7"};
  const std::string event = key({version, source, id});
  EXPECT_FALSE(event.empty());
  EXPECT_EQ(key({version, source, {"ce-id", "8"}}).find(event), std::string::npos);
  EXPECT_NE(key({version, {"ce-source", "/other"}, id}), event);
  EXPECT_NE(key({version, source, id, {"authorization", "Bearer x"}}), event);
  EXPECT_EQ(key({version, source, id, {"idempotency-key", "k"}}), "k");
  EXPECT_EQ(key({version, source}), "");
  EXPECT_EQ(key({version, id}), "");
  EXPECT_EQ(key({source, id}), "");
}

}  // namespace
}  // namespace carrel::function
