#include "async/descriptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>

namespace carrel::async {
namespace {

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
  ~Pipe() {
    ::close(ends_[0]);
    if (ends_[1] >= 0) ::close(ends_[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  int out() const { return ends_[0]; }
  int in() const { return ends_[1]; }
  void close_in() {
    ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{};
};

Task<void> wait_for(Readiness& readiness) { co_await readiness.wait(); }

TEST(Readiness, RefusesADescriptorThatIsNotOpen) {
  Shard shard;
  EXPECT_FALSE(Readiness::of(shard, 1'000'000, Direction::read));
}

TEST(Readiness, WaitsForTheFirstByteOfAPipe) {
  Shard shard;
  const Pipe pipe;
  auto readiness = Readiness::of(shard, pipe.out(), Direction::read);
  ASSERT_TRUE(readiness);
  EXPECT_FALSE((*readiness)->now());
  shard.submit([&pipe] { EXPECT_EQ(::write(pipe.in(), "x", 1), 1); });
  shard.run_until_done(wait_for(**readiness));
  EXPECT_TRUE((*readiness)->now());
}

TEST(Readiness, TheEndOfAPipeIsReady) {
  Shard shard;
  Pipe pipe;
  auto readiness = Readiness::of(shard, pipe.out(), Direction::read);
  ASSERT_TRUE(readiness);
  shard.submit([&pipe] { pipe.close_in(); });
  shard.run_until_done(wait_for(**readiness));
  EXPECT_TRUE((*readiness)->now());
}

TEST(Readiness, WaitsForRoomInAFullPipe) {
  Shard shard;
  const Pipe pipe;
  ASSERT_EQ(::fcntl(pipe.in(), F_SETFL, O_NONBLOCK), 0);
  const std::array<char, 4096> page{};
  while (::write(pipe.in(), page.data(), page.size()) > 0) {
  }
  auto readiness = Readiness::of(shard, pipe.in(), Direction::write);
  ASSERT_TRUE(readiness);
  EXPECT_FALSE((*readiness)->now());
  shard.submit([&pipe] {
    std::array<char, 65536> all{};
    EXPECT_GT(::read(pipe.out(), all.data(), all.size()), 0);
  });
  shard.run_until_done(wait_for(**readiness));
  EXPECT_TRUE((*readiness)->now());
}

TEST(Readiness, LeavesTheDescriptorsFlagsAlone) {
  Shard shard;
  const Pipe pipe;
  auto readiness = Readiness::of(shard, pipe.out(), Direction::read);
  ASSERT_TRUE(readiness);
  auto waiting = (*readiness)->wait();
  waiting.start();
  EXPECT_EQ(::fcntl(pipe.out(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(Readiness, AWaitCanBeGivenUp) {
  Shard shard;
  const Pipe pipe;
  auto readiness = Readiness::of(shard, pipe.out(), Direction::read);
  ASSERT_TRUE(readiness);
  {
    auto waiting = (*readiness)->wait();
    waiting.start();
    EXPECT_FALSE(waiting.done());
  }
  shard.submit([&pipe] { EXPECT_EQ(::write(pipe.in(), "x", 1), 1); });
  shard.run_until_done(wait_for(**readiness));
  EXPECT_TRUE((*readiness)->now());
}

TEST(Readiness, ARegularFileIsAlwaysReady) {
  Shard shard;
  const int fd = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  auto readiness = Readiness::of(shard, fd, Direction::read);
  ASSERT_TRUE(readiness);
  EXPECT_TRUE((*readiness)->now());
  shard.run_until_done(wait_for(**readiness));
  ::close(fd);
}

}  // namespace
}  // namespace carrel::async
