#include "store/io_pool.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace carrel::store {
namespace {

async::Task<void> note_thread(IoPool& pool, async::Shard& shard, std::thread::id& worked,
                              std::thread::id& resumed) {
  co_await pool.run(shard, [&worked] { worked = std::this_thread::get_id(); });
  resumed = std::this_thread::get_id();
}

TEST(AnIoPool, WorksOnAThreadOfItsOwnAndReturnsOnTheShard) {
  async::Shard shard;
  IoPool pool(2);
  std::thread::id worked, resumed;
  shard.run_until_done(note_thread(pool, shard, worked, resumed));
  EXPECT_NE(worked, std::this_thread::get_id());
  EXPECT_EQ(resumed, std::this_thread::get_id());
}

async::Task<void> after(IoPool& pool, async::Shard& shard) {
  co_await pool.run(shard, [] {});
}

TEST(AnIoPool, LetsAWaitingCoroutineBeDestroyed) {
  async::Shard shard;
  IoPool pool(1);
  std::promise<void> begun, go;
  auto owned = std::make_shared<std::future<void>>(go.get_future());
  {
    auto task = pool.run(shard, [&begun, owned] {
      begun.set_value();
      owned->wait();
    });
    task.start();
    begun.get_future().wait();
  }
  go.set_value();
  shard.run_until_done(after(pool, shard));  // behind it in the queue
}

TEST(AnIoPool, DropsWhatItHasNotBegunWhenItEnds) {
  async::Shard shard;
  bool ran = false;
  std::promise<void> begun, go;
  async::Task<void> first, second;
  {
    auto pool = std::make_unique<IoPool>(1);
    first = pool->run(shard, [&] {
      begun.set_value();
      go.get_future().wait();
    });
    first.start();
    begun.get_future().wait();
    second = pool->run(shard, [&ran] { ran = true; });
    second.start();
    first = {};
    second = {};
    std::thread ending([&pool] { pool.reset(); });
    go.set_value();
    ending.join();
  }
  (void)ran;  // begun or dropped: only that nobody hangs and nothing leaks matters
}

}  // namespace
}  // namespace carrel::store
