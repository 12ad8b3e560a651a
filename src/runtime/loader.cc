#include "runtime/loader.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "abi/command/command.h"
#include "async/event.h"
#include "base/digest.h"
#include "base/files.h"
#include "wasm/linker.h"

namespace carrel::runtime {
namespace {

using ModuleRef = std::shared_ptr<const wasm::Module>;

constexpr std::uint64_t kMaxModule = 64ULL << 20;

Result<std::string> read_module(const std::filesystem::path& file) {
  auto bytes = read_file(file, kMaxModule);
  if (!bytes && bytes.error().code() == Code::invalid_argument) {
    return fail(Code::module_too_large, bytes.error().message());
  }
  return bytes;
}

std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

std::span<const abi::Abi* const> known_abis() {
  static const abi::command::Command command;
  static const abi::Abi* const all[] = {&command};
  return all;
}

// One waiting load: the worker fills it in on the shard's thread, whether or not anybody still waits.
struct PendingLoad {
  async::Event done;
  std::optional<Result<ModuleRef>> result;
};

struct Loader::Impl {
  std::shared_ptr<wasm::CodeCache> cache;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::move_only_function<void()>> jobs;
  bool stopping = false;
  std::unordered_map<std::string, std::weak_ptr<const wasm::Module>> mapped;  // by digest
  std::unordered_set<std::string> loading;

  std::mutex check_mutex;  // linkers are for one thread at a time
  std::unordered_map<const abi::Abi*, std::unique_ptr<wasm::Linker>> check_linkers;

  std::vector<std::thread> workers;

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return stopping || !jobs.empty(); });
      if (jobs.empty()) return;
      auto job = std::move(jobs.front());
      jobs.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
  }

  // One load of a digest at a time; whoever comes second finds the first one's module.
  Result<ModuleRef> load(const std::string& digest, std::move_only_function<Result<std::string>()> read) {
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return !loading.contains(digest); });
      if (auto module = mapped[digest].lock()) return module;
      loading.insert(digest);
    }
    auto module = load_alone(digest, std::move(read));
    std::lock_guard lock(mutex);
    loading.erase(digest);
    if (module) mapped[digest] = *module;
    std::erase_if(mapped, [](const auto& entry) { return entry.second.expired(); });
    changed.notify_all();
    return module;
  }

  Result<ModuleRef> load_alone(const std::string& digest, std::move_only_function<Result<std::string>()> read) {
    if (auto module = cache->find(digest)) return module;
    CARREL_TRY(const std::string bytes, read());
    return cache->compile(digest, as_bytes(bytes));
  }

  Result<void> check_imports(const abi::Abi& abi, ModuleRef module, const std::shared_ptr<wasm::Engine>& engine) {
    std::lock_guard lock(check_mutex);
    auto& linker = check_linkers[&abi];
    if (!linker) {
      CARREL_TRY(linker, wasm::Linker::make(engine, abi.imports()));
    }
    CARREL_TRY_VOID(linker->prepare(std::move(module)));
    return {};
  }
};

Loader::Loader(std::shared_ptr<wasm::Engine> engine, std::shared_ptr<wasm::CodeCache> cache, unsigned threads)
    : engine_(std::move(engine)), impl_(std::make_unique<Impl>()) {
  impl_->cache = std::move(cache);
  for (unsigned i = 0; i < std::max(threads, 1U); ++i) {
    impl_->workers.emplace_back([impl = impl_.get()] { impl->work(); });
  }
}

Loader::~Loader() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
    impl_->jobs.clear();
  }
  impl_->changed.notify_all();
  for (std::thread& worker : impl_->workers) worker.join();
}

Result<std::shared_ptr<const Program>> Loader::check(const std::filesystem::path& file) {
  CARREL_TRY(std::string bytes, read_module(file));
  auto program = std::make_shared<Program>();
  program->file = file;
  program->digest = sha256_hex(bytes);
  CARREL_TRY(ModuleRef module, impl_->load(program->digest, [&] { return Result<std::string>(std::move(bytes)); }));

  const abi::Shape shape{module->imports(), module->exports()};
  for (const abi::Abi* abi : known_abis()) {
    if (!abi->speaks(shape)) continue;
    program->abi = abi;
    CARREL_TRY_VOID(impl_->check_imports(*abi, std::move(module), engine_));
    return program;
  }
  return fail(Code::unknown_abi, fmt::format("{} speaks no ABI that this build knows", file.string()),
              "`carrel inspect FILE` shows what it imports and exports");
}

Result<ModuleRef> Loader::load_now(const Program& program) {
  return impl_->load(program.digest, [&program]() -> Result<std::string> {
    CARREL_TRY(std::string bytes, read_module(program.file));
    if (sha256_hex(bytes) == program.digest) return bytes;
    return fail(Code::unavailable, fmt::format("{} has changed since it was checked", program.file.string()),
                "reload the app");
  });
}

async::Task<Result<ModuleRef>> Loader::load(async::Shard& shard, std::shared_ptr<const Program> program) {
  auto pending = std::make_shared<PendingLoad>();
  {
    std::lock_guard lock(impl_->mutex);
    if (auto module = impl_->mapped[program->digest].lock()) co_return module;
    impl_->jobs.emplace_back([this, &shard, pending, program = std::move(program)] {
      auto result = load_now(*program);
      shard.submit([pending, result = std::move(result)]() mutable {
        pending->result.emplace(std::move(result));
        pending->done.signal();
      });
    });
  }
  impl_->changed.notify_all();
  co_await pending->done;
  co_return std::move(*pending->result);
}

}  // namespace carrel::runtime
