#include "store/tickets.h"

#include <gtest/gtest.h>

namespace carrel::store {
namespace {

// Runs at once, until it waits; destroyed with its owner.
async::Task<void> begun(async::Task<void> work) {
  work.start();
  return work;
}

async::Task<void> taking(Tickets* tickets, std::vector<std::uint64_t> names) {
  co_await tickets->take(std::move(names));
}
async::Task<void> take(Tickets& tickets, std::vector<std::uint64_t> names) {
  return begun(taking(&tickets, std::move(names)));
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
  const async::Task<void> one = take(a, {7});
  EXPECT_TRUE(one.done());
  const async::Task<void> two = take(b, {7}), three = take(c, {7});
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
  const async::Task<void> one = take(a, {7, 9, 7});
  EXPECT_TRUE(one.done());
  a.give_back();
  EXPECT_TRUE(a.empty());
  EXPECT_FALSE(table.contended(7));
  EXPECT_FALSE(table.contended(9));
}

TEST_F(TicketsTest, WhoIsGoneIsNotGivenOne) {
  const async::Task<void> one = take(a, {7});
  {
    const async::Task<void> two = take(b, {7});
  }
  const async::Task<void> three = take(c, {7});
  a.give_back();
  EXPECT_TRUE(has(c, 7));
}

TEST_F(TicketsTest, WhoGoesBetweenGettingOneAndHearingOfItGivesItBack) {
  const async::Task<void> one = take(a, {7});
  {
    const async::Task<void> two = take(b, {7});
    a.give_back();
  }
  EXPECT_TRUE(has(b, 7));
  b.give_back();
  EXPECT_FALSE(table.contended(7));
}

TEST_F(TicketsTest, NamesThatShareACellAreQueuesOfTheirOwn) {
  const async::Task<void> one = take(a, {7}), two = take(b, {7 + 4096});
  EXPECT_TRUE(two.done());
  a.give_back();
  EXPECT_FALSE(table.contended(7));
  EXPECT_TRUE(has(b, 7 + 4096));
}

TEST_F(TicketsTest, TheCommitterMayGiveThemBackAndTheTurnAgain) {
  const async::Task<void> one = take(a, {7}), two = take(b, {7});
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
