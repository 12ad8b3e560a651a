#include "turn/held_reply.h"

#include <gtest/gtest.h>

#include "async/shard.h"
#include "net/memory_reply.h"
#include "turn/kept_body.h"

namespace carrel::turn {
namespace {

async::Task<void> send_to(HeldReply reply, net::ReplySink& sink, Result<void>* result) {
  *result = co_await send(std::move(reply), sink);
}

std::string sent(const std::string& body) {
  HeldReply reply{.head = {.status = 201}};
  for (std::size_t at = 0; at < body.size(); at += 100'000) {
    EXPECT_TRUE(reply.body.append(std::string_view(body).substr(at, 100'000)));
  }
  EXPECT_EQ(reply.body.spilled(), body.size() > kHeldInMemory);
  net::MemoryReply sink;
  Result<void> result;
  async::Shard shard;
  shard.run_until_done(send_to(std::move(reply), sink, &result));
  EXPECT_TRUE(result.has_value());
  EXPECT_TRUE(sink.finished());
  EXPECT_EQ(sink.head().status, 201);
  return sink.body();
}

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

TEST(HeldReply, IsSentWholeFromMemory) { EXPECT_EQ(sent(pattern(500'000)), pattern(500'000)); }

TEST(HeldReply, IsSentWholeFromAFile) { EXPECT_EQ(sent(pattern(3'000'001)), pattern(3'000'001)); }

TEST(HeldReply, HasItsTrailers) {
  for (const std::size_t size : {10, 3'000'000}) {
    HeldReply reply{.trailers = {{"x-sum", "1"}}};
    EXPECT_TRUE(reply.body.append(pattern(size)));
    net::MemoryReply sink;
    Result<void> result;
    async::Shard shard;
    shard.run_until_done(send_to(std::move(reply), sink, &result));
    EXPECT_TRUE(result.has_value());
    EXPECT_EQ(sink.trailers(), (net::Fields{{"x-sum", "1"}}));
  }
}

std::string read_all(KeptBody& body) {
  std::string all;
  std::byte piece[1000];
  while (const std::size_t n = body.read(piece)) all.append(reinterpret_cast<char*>(piece), n);
  return all;
}

TEST(KeptBody, IsReadAgain) {
  async::MemorySource source(pattern(10'000));
  KeptBody body(source);
  std::byte half[5'000];
  EXPECT_EQ(body.read(half), 5'000u);
  EXPECT_TRUE(body.rewind());
  EXPECT_EQ(read_all(body), pattern(10'000));
  EXPECT_TRUE(body.finished());
  EXPECT_TRUE(body.rewind());
  EXPECT_FALSE(body.finished());
  EXPECT_EQ(read_all(body), pattern(10'000));
}

TEST(KeptBody, IsNotReadAgainWhenItIsLarge) {
  async::MemorySource source(pattern(kMostKept + 1));
  KeptBody body(source);
  EXPECT_EQ(read_all(body).size(), kMostKept + 1);
  EXPECT_TRUE(body.finished());
  EXPECT_FALSE(body.rewind());
}

}  // namespace
}  // namespace carrel::turn
