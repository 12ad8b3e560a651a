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

TEST(AnIoPool, TouchesNoShardOnceItHasStopped) {
  auto shard = std::make_unique<async::Shard>();
  IoPool pool(1);
  std::promise<void> begun, go;
  bool ended = false, late = false;
  auto reading = pool.run(*shard, [&] {
    begun.set_value();
    go.get_future().wait();
    ended = true;
  });
  reading.start();
  begun.get_future().wait();
  std::jthread letting_go([&] { go.set_value(); });
  pool.stop();
  EXPECT_TRUE(ended);
  auto another = pool.run(*shard, [&] { late = true; });
  another.start();
  pool.stop();
  EXPECT_FALSE(late);
  reading = {};
  another = {};
  shard.reset();
}

TEST(AnIoPool, DropsWhatItHasNotBegunWhenItEnds) {
  async::Shard shard;
  const auto owned = std::make_shared<int>();
  {
    IoPool pool(0);  // begins nothing
    auto task = pool.run(shard, [owned] {});
    task.start();
    EXPECT_EQ(owned.use_count(), 2);
    task = {};
  }
  EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace carrel::store
