#include "capability/tmp/sparse_bytes.h"

#include <gtest/gtest.h>

#include <array>
#include <random>

#include "wasi/test_io.h"

namespace carrel::capability::tmp {
namespace {

using wasi::Errno;
using namespace wasi::testing;

wasi::Io<std::size_t> put(TestIo& io, SparseBytes& bytes, std::string_view text, std::uint64_t at) {
  const auto from = std::as_bytes(std::span(text));
  return bytes.write(io, {&from, 1}, at);
}

std::string take(const SparseBytes& bytes, std::uint64_t at, std::size_t max) {
  std::string text(max, '?');
  const auto into = std::as_writable_bytes(std::span(text));
  return text.substr(0, bytes.read({&into, 1}, at));
}

TEST(SparseBytes, RefusesWhatNoFileCanHold) {
  TestIo io;
  SparseBytes bytes;
  EXPECT_EQ(error_of(put(io, bytes, "x", SparseBytes::kMaxSize)), Errno::fbig);
  EXPECT_EQ(error_of(put(io, bytes, "x", UINT64_MAX)), Errno::fbig);
  EXPECT_EQ(error_of(bytes.resize(io, SparseBytes::kMaxSize + 1)), Errno::fbig);
  EXPECT_EQ(put(io, bytes, "xyz", SparseBytes::kMaxSize - 2), 2U);
  EXPECT_EQ(bytes.size(), SparseBytes::kMaxSize);
  EXPECT_EQ(put(io, bytes, "", UINT64_MAX), 0U);
}

TEST(SparseBytes, OneByteFarAwayTakesOneChunk) {
  TestIo io;
  SparseBytes bytes;
  EXPECT_EQ(put(io, bytes, "x", 1ULL << 60), 1U);
  EXPECT_EQ(bytes.size(), (1ULL << 60) + 1);
  EXPECT_LT(io.charged, 17 << 10);
  EXPECT_EQ(take(bytes, (1ULL << 60) - 2, 10), std::string("\0\0x", 3));
}

TEST(SparseBytes, AShortFileTakesLittle) {
  TestIo io;
  SparseBytes bytes;
  EXPECT_EQ(put(io, bytes, "short", 0), 5U);
  EXPECT_LT(io.charged, 400);
}

TEST(SparseBytes, WritesWhatTheQuotaHoldsThenRefuses) {
  TestIo io(40 << 10);
  SparseBytes bytes;
  const std::string much(100 << 10, 'm');
  const auto done = put(io, bytes, much, 0);
  ASSERT_TRUE(done);
  EXPECT_EQ(*done, 32U << 10);
  EXPECT_EQ(bytes.size(), *done);
  EXPECT_EQ(error_of(put(io, bytes, much, 1 << 20)), Errno::dquot);
  EXPECT_EQ(bytes.size(), *done);
  EXPECT_LE(io.charged, io.quota);
}

TEST(SparseBytes, GivesBackExactlyWhatItTook) {
  TestIo io;
  SparseBytes bytes;
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(put(io, bytes, "some text", static_cast<std::uint64_t>(i) * 9001));
  EXPECT_GT(io.charged, 0);
  ASSERT_TRUE(bytes.resize(io, 50'000));
  ASSERT_TRUE(bytes.resize(io, 1ULL << 40));
  bytes.clear(io);
  EXPECT_EQ(io.charged, 0);
  EXPECT_EQ(bytes.size(), 0U);
}

TEST(SparseBytes, WhatWasCutOffReadsAsZerosWhenTheFileGrowsAgain) {
  TestIo io;
  SparseBytes bytes;
  ASSERT_TRUE(put(io, bytes, "0123456789", 0));
  ASSERT_TRUE(bytes.resize(io, 3));
  ASSERT_TRUE(bytes.resize(io, 6));
  EXPECT_EQ(take(bytes, 0, 10), std::string("012\0\0\0", 6));
}

TEST(SparseBytes, MovesAtMost256KiBACall) {
  TestIo io;
  SparseBytes bytes;
  const std::string much(1 << 20, 'm');
  EXPECT_EQ(put(io, bytes, much, 5), 256U << 10);
  ASSERT_TRUE(bytes.resize(io, 1 << 30));
  EXPECT_EQ(take(bytes, 5, 1 << 20).size(), 256U << 10);
}

TEST(SparseBytes, GathersAndScattersSeveralBuffers) {
  TestIo io;
  SparseBytes bytes;
  const std::string_view a = "ab", none, b = "cde";
  const std::array from{std::as_bytes(std::span(a)), std::as_bytes(std::span(none)),
                        std::as_bytes(std::span(b))};
  EXPECT_EQ(bytes.write(io, from, 0), 5U);
  std::string one(1, '?'), rest(9, '?');
  const std::array into{std::as_writable_bytes(std::span(one)),
                        std::as_writable_bytes(std::span(rest))};
  EXPECT_EQ(bytes.read(into, 0), 5U);
  EXPECT_EQ(one + rest.substr(0, 4), "abcde");
}

// Random writes, cuts and reads against a plain string.
TEST(SparseBytes, BehavesLikeAString) {
  std::mt19937 random(7);
  TestIo io;
  SparseBytes bytes;
  std::string model;
  for (int i = 0; i < 3000; ++i) {
    const std::size_t at = random() % 60'000, size = random() % 20'000;
    switch (random() % 4) {
      case 0:
      case 1: {
        const std::string text(size, static_cast<char>('a' + random() % 26));
        ASSERT_EQ(put(io, bytes, text, at), size);
        if (size > 0 && model.size() < at + size) model.resize(at + size);
        if (size > 0) model.replace(at, size, text);
        break;
      }
      case 2:
        ASSERT_TRUE(bytes.resize(io, at));
        model.resize(at);
        break;
      default:
        ASSERT_EQ(take(bytes, at, size), at < model.size() ? model.substr(at, size) : "");
    }
    ASSERT_EQ(bytes.size(), model.size());
  }
  bytes.clear(io);
  EXPECT_EQ(io.charged, 0);
}

}  // namespace
}  // namespace carrel::capability::tmp
