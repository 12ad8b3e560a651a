#include "async/pause.h"

#include <gtest/gtest.h>

namespace carrel::async {
namespace {

Task<void> pause_and_look(Shard* shard, const bool* others, bool* seen) {
  co_await pause(*shard);
  *seen = *others;
}
Task<void> pause_once(Shard* shard, bool* resumed) {
  co_await pause(*shard);
  *resumed = true;
}
Task<void> destroy_while_it_waits(Shard* shard, bool* resumed) {
  {
    auto gone = pause_once(shard, resumed);
    gone.start();
  }
  co_await pause(*shard);
}

TEST(Pause, LetsWhatWasReadyGoFirst) {
  Shard shard;
  bool others = false;
  bool seen = false;
  shard.submit([&others] { others = true; });
  shard.run_until_done(pause_and_look(&shard, &others, &seen));
  EXPECT_TRUE(seen);
}

TEST(Pause, IsTakenBackWithItsCoroutine) {
  Shard shard;
  bool resumed = false;
  shard.run_until_done(destroy_while_it_waits(&shard, &resumed));
  EXPECT_FALSE(resumed);
}

}  // namespace
}  // namespace carrel::async
