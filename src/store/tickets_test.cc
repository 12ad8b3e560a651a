#include "store/tickets.h"

#include <gtest/gtest.h>

namespace carrel::store {
namespace {

// A coroutine that runs at once, until it waits; destroyed with its owner.
struct Running {
  struct promise_type {
    Running get_return_object() {
      return Running(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  explicit Running(std::coroutine_handle<promise_type> handle) : handle(handle) {}
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  ~Running() { handle.destroy(); }
  bool done() const { return handle.done(); }
  std::coroutine_handle<promise_type> handle;
};

Running take(Tickets& tickets, std::vector<std::uint64_t> names) {
  co_await tickets.take(std::move(names));
}

class TicketsTest : public testing::Test {
 protected:
  bool has(const Tickets& tickets, std::uint64_t name) const {
    return table.contended(name) && !table.held_by_other(name, tickets.holder());
  }

  TicketTable table;
  async::Shard shard;
  Tickets a{table, shard}, b{table, shard}, c{table, shard};
};

TEST_F(TicketsTest, GoToWhoCameFirst) {
  const Running one = take(a, {7});
  EXPECT_TRUE(one.done());
  const Running two = take(b, {7}), three = take(c, {7});
  EXPECT_FALSE(two.done());
  EXPECT_TRUE(has(a, 7));
  a.give_back();
  EXPECT_TRUE(has(b, 7));
  b.give_back();
  EXPECT_TRUE(has(c, 7));
  c.give_back();
  EXPECT_FALSE(table.contended(7));
  EXPECT_EQ(table.counts().waited, 2U);
}

TEST_F(TicketsTest, OneNameAskedForTwiceIsOneTicket) {
  const Running one = take(a, {7, 9, 7});
  EXPECT_TRUE(one.done());
  a.give_back();
  EXPECT_TRUE(a.empty());
  EXPECT_FALSE(table.contended(7));
  EXPECT_FALSE(table.contended(9));
}

TEST_F(TicketsTest, WhoIsGoneIsNotGivenOne) {
  const Running one = take(a, {7});
  {
    const Running two = take(b, {7});
  }
  const Running three = take(c, {7});
  a.give_back();
  EXPECT_TRUE(has(c, 7));
}

TEST_F(TicketsTest, WhoGoesBetweenGettingOneAndHearingOfItGivesItBack) {
  const Running one = take(a, {7});
  {
    const Running two = take(b, {7});
    a.give_back();
  }
  EXPECT_TRUE(has(b, 7));
  b.give_back();
  EXPECT_FALSE(table.contended(7));
}

TEST_F(TicketsTest, NamesThatShareACellAreQueuesOfTheirOwn) {
  const Running one = take(a, {7}), two = take(b, {7 + 4096});
  EXPECT_TRUE(two.done());
  a.give_back();
  EXPECT_FALSE(table.contended(7));
  EXPECT_TRUE(has(b, 7 + 4096));
}

TEST_F(TicketsTest, TheCommitterMayGiveThemBackAndTheTurnAgain) {
  const Running one = take(a, {7}), two = take(b, {7});
  table.give_back(a.holder());
  EXPECT_TRUE(has(b, 7));
  a.give_back();
  table.give_back(TicketHolder{});
  EXPECT_TRUE(has(b, 7));
  table.pass_on_late();
  EXPECT_TRUE(has(b, 7)) << "ten seconds have not passed";
}

}  // namespace
}  // namespace carrel::store
