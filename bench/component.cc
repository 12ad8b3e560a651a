// What a component's request costs in process: store, instance, one call with a response, and their
// end, on one shard; and how two shards share one component.
//
//   component_bench [--keep BYTES] FILE [REPETITIONS]    lines "us X", and "one X", "two X" in
//   requests a second
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "wasi/wasi.h"
#include "wasm/component_instance.h"

namespace carrel::wasm {
namespace {

template <typename T>
T need(Result<T> result) {
  if (result) return std::move(*result);
  std::fprintf(stderr, "%s\n", result.error().describe().c_str());
  std::exit(1);
}

// Descriptor 1: counts what it is given.
class Sink final : public wasi::OpenFile {
 public:
  explicit Sink(std::size_t& bytes) : bytes_(bytes) {}
  wasi::Io<wasi::FileStat> stat(wasi::IoContext&) override { return wasi::FileStat{}; }
  wasi::Io<std::size_t> write(wasi::IoContext&, wasi::ConstBuffers from) override {
    std::size_t n = 0;
    for (const auto& buffer : from) n += buffer.size();
    bytes_ += n;
    return n;
  }

 private:
  std::size_t& bytes_;
};

class Head final : public HttpExchange {
 public:
  void head(int status, std::span<const Field>) override { status_ = status; }
  void trailers(std::span<const Field>) override {}
  std::vector<Field> request_trailers() override { return {}; }
  int status() const { return status_; }

 private:
  int status_ = 0;
};

struct State {
  wasi::Wasi* wasi;
};

async::Task<void> handle(async::Shard* shard, async::RunAccount* account,
                         const Prepared* prepared) {
  static constexpr Field kFields[] = {{"host", "localhost"}, {"user-agent", "bench"}};
  std::size_t bytes = 0;
  wasi::Environment environment;
  environment.standard_out = std::make_unique<Sink>(bytes);
  wasi::Wasi wasi(*shard, system_clock(), std::move(environment));
  State state{&wasi};
  Head head;
  ComponentInstance instance(*shard, *account, *prepared, &state,
                             {.cpu = std::chrono::seconds(60)});
  const Outcome outcome = co_await instance.handle({.method = "GET",
                                                    .scheme = "http",
                                                    .authority = "localhost",
                                                    .target = "/",
                                                    .fields = kFields,
                                                    .exchange = &head});
  if (!outcome.ok() || head.status() != 200 || bytes == 0) {
    std::fprintf(stderr, "the component failed: %s\n", outcome.trap.c_str());
    std::exit(1);
  }
}

async::Task<void> handle_many(async::Shard* shard, const Prepared* prepared, int count) {
  async::RunAccount account;
  for (int i = 0; i < count; ++i) co_await handle(shard, &account, prepared);
}

std::unique_ptr<const Prepared> prepare(const std::shared_ptr<Engine>& engine,
                                        const std::shared_ptr<const Module>& module,
                                        std::vector<std::unique_ptr<Linker>>& linkers) {
  linkers.push_back(need(Linker::make_for_components(engine, World::http, wasi::imports())));
  return need(linkers.back()->prepare(module));
}

double requests_a_second(const std::shared_ptr<Engine>& engine,
                         const std::shared_ptr<const Module>& module, unsigned shards, int count) {
  std::vector<std::unique_ptr<Linker>> linkers;
  std::vector<std::unique_ptr<const Prepared>> prepared;
  for (unsigned i = 0; i < shards; ++i) prepared.push_back(prepare(engine, module, linkers));
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::thread> threads;
  threads.reserve(shards);
  for (unsigned i = 0; i < shards; ++i) {
    threads.emplace_back([&, i] {
      async::Shard shard(i);
      shard.run_until_done(handle_many(&shard, prepared[i].get(), count));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return shards * count / took.count();
}

int bench(int argc, char** argv) {
  EngineSettings settings = settings_for_this_machine();
  std::vector<std::string> rest;
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--keep" && i + 1 < argc) {
      settings.memory_keep_resident = std::strtoull(argv[++i], nullptr, 10);
    } else {
      rest.emplace_back(argv[i]);
    }
  }
  if (rest.empty()) {
    std::fprintf(stderr, "usage: component_bench [--keep BYTES] FILE [REPETITIONS]\n");
    return 2;
  }
  std::ifstream in(rest[0], std::ios::binary);
  const std::string wasm((std::istreambuf_iterator<char>(in)), {});
  const int repetitions = rest.size() > 1 ? std::atoi(rest[1].c_str()) : 5;
  auto engine = need(Engine::make(settings));
  auto module = need(Module::compile(engine, std::as_bytes(std::span(wasm))));
  std::vector<std::unique_ptr<Linker>> linkers;
  const auto prepared = prepare(engine, module, linkers);
  async::Shard shard;
  Nanos start = thread_cpu_time();
  shard.run_until_done(handle_many(&shard, prepared.get(), 50));
  const double once = std::chrono::duration<double>(thread_cpu_time() - start).count() / 50;
  const int count = std::max(50, static_cast<int>(0.3 / once));
  for (int repetition = 0; repetition < repetitions; ++repetition) {
    start = thread_cpu_time();
    shard.run_until_done(handle_many(&shard, prepared.get(), count));
    const std::chrono::duration<double, std::micro> used = thread_cpu_time() - start;
    std::printf("us %.3f\n", used.count() / count);
    std::printf("one %.1f\n", requests_a_second(engine, module, 1, count));
    std::printf("two %.1f\n", requests_a_second(engine, module, 2, count));
  }
  return 0;
}

}  // namespace
}  // namespace carrel::wasm

int main(int argc, char** argv) { return carrel::wasm::bench(argc, argv); }
