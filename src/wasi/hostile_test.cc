// What a host must survive: every function, with operands that a well-meaning guest never gives.
#include <random>

#include "wasi/fake_files.h"
#include "wasi/fake_guest.h"

namespace carrel::wasi {
namespace {

using testing::FakeGuest;
using testing::FakePipe;
using testing::FakeStream;

Environment environment(FakePipe& pipe) {
  Environment result;
  result.arguments->add("a");
  result.variables->add("B", "c");
  result.tree->mount("/tmp", std::make_shared<testing::FakeFolder>());
  result.preopens.push_back({"/", "/"});
  result.standard_in = std::make_unique<FakeStream>(pipe);
  result.standard_out = std::make_unique<FakeStream>(pipe);
  result.max_open_files = 16;
  return result;
}

bool ends_the_guest(const wasm::HostFunction& row) {
  return row.name == "proc_exit" || row.name == "proc_raise";
}

TEST(Hostile, EveryFunctionAnswersPointersAtTheEndWithAnError) {
  FakePipe pipe{.input = "input"};
  for (const wasm::HostFunction& row : imports()) {
    if (ends_the_guest(row) || row.name == "sched_yield") continue;
    FakeGuest guest(environment(pipe));
    for (std::uint64_t fd : {0, 1, 3, 77}) {
      std::vector<std::uint64_t> operands(std::string_view(row.params).size(), 0xffffffff);
      operands[0] = fd;
      ASSERT_EQ(guest.start(row, operands), wasm::HostStatus::done) << row.name;
      const bool may_succeed =
          row.params == std::string_view("i");  // closing, syncing what is open
      if (!may_succeed) EXPECT_NE(guest.last(), Errno::success) << row.name << " of " << fd;
    }
  }
}

TEST(Hostile, EveryFunctionRefusesADescriptorThatIsNotOpen) {
  for (const wasm::HostFunction& row : imports()) {
    const bool has_fd = row.name.starts_with("fd_") || row.name.starts_with("sock_") ||
                        (row.name.starts_with("path_") && row.name != "path_symlink");
    if (!has_fd) continue;
    FakePipe pipe;
    FakeGuest guest(environment(pipe));
    for (std::uint64_t fd : {2U, 4U, 0x7fffffffU, 0xffffffffU}) {
      std::vector<std::uint64_t> operands(std::string_view(row.params).size(), 0);
      operands[0] = fd;
      ASSERT_EQ(guest.start(row, operands), wasm::HostStatus::done) << row.name;
      EXPECT_EQ(guest.last(), Errno::badf) << row.name << " of " << fd;
    }
  }
}

// Operands at random from the edges of everything. The memory is exactly as large as it says, so a
// sanitizer sees every access outside.
TEST(Hostile, NoMixOfOperandsDoesHarm) {
  constexpr std::uint64_t kEdges[] = {0,          1,          2,          3,          4,
                                      8,          16,         48,         4096,       65535,
                                      65536,      1048575,    1048576,    1048577,    0x7fffffff,
                                      0x80000000, 0xfffffff8, 0xffffffff, ~0ULL >> 1, ~0ULL};
  std::mt19937 random(7);  // NOLINT: the same each time
  FakePipe pipe{.input = std::string(1000, 'x'), .ended = true};
  auto guest = std::make_unique<FakeGuest>(environment(pipe));
  for (int round = 0; round < 60'000; ++round) {
    const auto& row = imports()[random() % imports().size()];
    std::vector<std::uint64_t> operands;
    for (const char* kind = row.params; *kind != 0; ++kind) {
      const std::uint64_t edge = kEdges[random() % std::size(kEdges)];
      operands.push_back(*kind == 'i' ? edge & 0xffffffff : edge);
    }
    const auto status = guest->start(row, operands);
    ASSERT_TRUE(status != wasm::HostStatus::trap || ends_the_guest(row)) << row.name;
    if (status == wasm::HostStatus::pending) (void)guest->call.take_wait();
    if (status == wasm::HostStatus::done) ASSERT_LE(guest->last(), Errno::notcapable) << row.name;
    if (round % 500 == 0) guest = std::make_unique<FakeGuest>(environment(pipe));
  }
}

TEST(Hostile, AGuestWithoutMemoryGetsAFaultForItsResults) {
  FakePipe pipe;
  FakeGuest guest(environment(pipe));
  guest.call.bytes().clear();
  for (const char* name : {"args_get", "args_sizes_get", "environ_get", "environ_sizes_get"}) {
    EXPECT_EQ(guest(name, {0, 0}), Errno::fault) << name;
  }
  EXPECT_EQ(guest("clock_time_get", {0, 0, 0}), Errno::fault);
  EXPECT_EQ(guest("fd_write", {1, 0, 0, 0}), Errno::fault);
  EXPECT_EQ(guest("random_get", {0, 1}), Errno::fault);
}

}  // namespace
}  // namespace carrel::wasi
