// The store alone: how many turns a second it makes durable, without guests and HTTP.
//
//   turn_store_bench FOLDER SECONDS
//
// Two shards, each with many callers at once. A caller reads one key, writes another, commits, and
// begins the next turn only when this one is durable. Makes a store in FOLDER, which must not
// exist, and prints a line `store_per_s X`: turns that were durable within the time, a second.
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "async/shared_task.h"
#include "store/store.h"
#include "turn/output_gate.h"

namespace carrel::store {
namespace {

constexpr int kShards = 2;
constexpr int kCallers = 1024;  // a shard
constexpr int kKeys = 100'000;
constexpr std::size_t kBytes = 100;  // of a value

struct Bench {
  std::atomic<bool> over = false;
  std::atomic<std::uint64_t> conflicts = 0;
  std::atomic<bool> failed = false;
};

std::string name(std::uint32_t i) { return "key" + std::to_string(1'000'000 + i); }
const Place kPlace{.kind = Kind::value, .store = "bench"};

void give_up(Bench& bench, const Error& error) {
  if (!bench.failed.exchange(true)) std::fprintf(stderr, "%s\n", error.describe().c_str());
  bench.over = true;
}

// A turn's commit, rerun when it loses. False: the store failed.
async::Task<bool> one_turn(Bench* bench, ShardStore* local, turn::OutputGate* gate,
                           std::uint32_t read, std::uint32_t written) {
  Transaction transaction(*local, TenantName("bench"), {});
  const std::string from = name(read);
  const std::string to = name(written);
  while (true) {
    auto got = transaction.get(kPlace, from);
    while (!got) {
      co_await transaction.fetch(kPlace, from);
      got = transaction.get(kPlace, from);
    }
    auto old = transaction.get(kPlace, to, Track::no);
    while (!old) {
      co_await transaction.fetch(kPlace, to);
      old = transaction.get(kPlace, to, Track::no);
    }
    const auto put = transaction.put(kPlace, to, {.bytes = std::string(kBytes, 'v')});
    if (!put) {
      give_up(*bench, put.error());
      co_return false;
    }
    const auto committed = co_await transaction.commit();
    if (committed) break;
    if (committed.error().code() != Code::conflict) {
      give_up(*bench, committed.error());
      co_return false;
    }
    ++bench->conflicts;
    co_await transaction.restart();
  }
  const auto durable = co_await gate->wait(transaction.seen());
  if (!durable) give_up(*bench, durable.error());
  co_return durable.has_value();
}

async::Task<void> calls(Bench* bench, ShardStore* local, turn::OutputGate* gate, std::uint32_t seed,
                        std::uint64_t* done) {
  std::minstd_rand random(seed);
  while (!bench->over) {
    const auto read = static_cast<std::uint32_t>(random() % kKeys);
    const auto written = static_cast<std::uint32_t>(random() % kKeys);
    if (!co_await one_turn(bench, local, gate, read, written)) co_return;
    if (!bench->over) ++*done;
  }
}

async::Task<void> all_calls(Bench* bench, ShardStore* local, turn::OutputGate* gate,
                            std::uint32_t seed, std::uint64_t* done) {
  std::vector<async::SharedTask> started(kCallers);
  for (async::SharedTask& call : started) call.begin(calls(bench, local, gate, seed++, done));
  for (async::SharedTask& call : started) co_await async::SharedTask::end_of(&call);
}

async::Task<void> fill(Bench* bench, ShardStore* local) {
  constexpr std::uint32_t kAtOnce = 1000;
  for (std::uint32_t first = 0; first < kKeys && !bench->over; first += kAtOnce) {
    Transaction transaction(*local, TenantName("bench"), {});
    for (std::uint32_t i = first; i < first + kAtOnce; ++i) {
      const auto put = transaction.put(kPlace, name(i), {.bytes = std::string(kBytes, 'o')});
      if (!put) give_up(*bench, put.error());
    }
    const auto committed = co_await transaction.commit();
    if (!committed) give_up(*bench, committed.error());
  }
}

// A shard with its part of the store. Turns are durable as its gate says.
struct Side {
  async::Shard shard;
  ShardStore* local = nullptr;
  std::unique_ptr<turn::OutputGate> gate;
  std::uint64_t done = 0;
  std::thread thread;
};

int bench(const std::filesystem::path& folder, double seconds) {
  auto store = Store::open({.folder = folder});
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().describe().c_str());
    return 1;
  }
  Bench bench;
  std::array<Side, kShards> sides;  // gone before the store, which has stopped by then
  for (Side& side : sides) {
    side.local = &(*store)->attach(side.shard);
    side.gate = std::make_unique<turn::OutputGate>(*side.local);
  }
  sides[0].shard.run_until_done(fill(&bench, sides[0].local));

  const auto started = std::chrono::steady_clock::now();
  const std::clock_t before = std::clock();
  std::uint32_t seed = 1;
  for (Side& side : sides) {
    side.thread = std::thread([&side, &bench, seed] {
      side.shard.run_until_done(all_calls(&bench, side.local, side.gate.get(), seed, &side.done));
    });
    seed += kCallers;
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  bench.over = true;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  const double cpu = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  std::uint64_t done = 0;
  for (Side& side : sides) {
    side.thread.join();
    done += side.done;
  }
  const StoreStatus status = (*store)->status();
  (*store)->stop();
  if (bench.failed) return 1;
  std::printf("store_per_s %.0f\n", static_cast<double>(done) / took.count());
  std::fprintf(
      stderr,
      "%.1f us of CPU a turn, %llu batches, %llu syncs, %llu conflicts, %llu reads of the disk\n",
      1e6 * cpu / static_cast<double>(done),
      static_cast<unsigned long long>(status.commits.batches),
      static_cast<unsigned long long>(status.commits.syncs),
      static_cast<unsigned long long>(bench.conflicts.load()),
      static_cast<unsigned long long>(status.disk_reads));
  return 0;
}

}  // namespace
}  // namespace carrel::store

int main(int argc, char** argv) {
  const double seconds = argc == 3 ? std::atof(argv[2]) : 0;
  if (seconds <= 0) {
    std::fprintf(stderr, "usage: turn_store_bench FOLDER SECONDS\n");
    return 2;
  }
  return carrel::store::bench(argv[1], seconds);
}
