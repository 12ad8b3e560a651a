#include "runtime/loader.h"

#include <fmt/format.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "abi/command/command.h"
#include "abi/component/cli_command.h"
#include "abi/component/http_proxy.h"
#include "async/event.h"
#include "base/digest.h"
#include "base/files.h"
#include "base/hex.h"
#include "runtime/admission.h"
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
  // For ever: a process that libcarrel is in may end with turns in flight.
  static const abi::Abi* const all[] = {new abi::command::Command, new abi::component::HttpProxy,
                                        new abi::component::CliCommand};
  return all;
}

// A turn that waits for a module, in its coroutine's frame.
struct Loader::Waiter {
  // What the worker sends over; on the shard's thread alone from then on.
  struct Delivery {
    async::Event done;
    std::optional<Result<ModuleRef>> result;
  };

  Loader::Impl& loader;
  async::Shard& shard;
  std::shared_ptr<const Program> program;
  std::shared_ptr<Delivery> delivery = std::make_shared<Delivery>();

  ~Waiter();  // no shard is sent to once its turns are gone
  void deliver(const Result<ModuleRef>& result) {
    shard.submit([delivery = delivery, result = result]() mutable {
      delivery->result.emplace(std::move(result));
      delivery->done.signal();
    });
  }
};

struct Loader::Impl {
  std::shared_ptr<wasm::CodeCache> cache;

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::move_only_function<void()>> jobs;
  bool stopping = false;
  std::unordered_map<std::string, std::weak_ptr<const wasm::Module>> mapped;  // by digest
  std::unordered_set<std::string> loading;
  // Who waits for a program that is being brought in: one job serves them all.
  std::unordered_map<const Program*, std::vector<Waiter*>> waiting;

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
  Result<ModuleRef> load(const std::string& digest,
                         std::move_only_function<Result<std::string>()> read) {
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

  // A library's exception would end the process, or leave others waiting for this digest.
  Result<ModuleRef> load_alone(const std::string& digest,
                               std::move_only_function<Result<std::string>()> read) try {
    if (auto module = cache->find(digest)) return module;
    CARREL_TRY(const std::string bytes, read());
    return cache->compile(digest, as_bytes(bytes));
  } catch (const std::exception& cause) {
    return fail(Code::internal, fmt::format("a module could not be brought in: {}", cause.what()));
  }

  void bring_in(const std::shared_ptr<const Program>& program, Loader& loader) {
    const auto result = loader.load_now(*program);
    std::lock_guard lock(mutex);
    for (Waiter* waiter : waiting[program.get()]) waiter->deliver(result);
    waiting.erase(program.get());
  }

  Result<void> check_imports(const abi::Abi& abi, ModuleRef module,
                             const std::shared_ptr<wasm::Engine>& engine) {
    std::lock_guard lock(check_mutex);
    auto& linker = check_linkers[&abi];
    if (!linker) {
      CARREL_TRY(linker, abi.make_linker(engine));
    }
    CARREL_TRY_VOID(linker->prepare(std::move(module)));
    return {};
  }
};

Loader::Waiter::~Waiter() {
  std::lock_guard lock(loader.mutex);
  const auto at = loader.waiting.find(program.get());
  if (at != loader.waiting.end()) std::erase(at->second, this);
}

Loader::Loader(std::shared_ptr<wasm::Engine> engine, std::shared_ptr<wasm::CodeCache> cache,
               unsigned threads, std::size_t most_places)
    : engine_(std::move(engine)), most_places_(most_places), impl_(std::make_unique<Impl>()) {
  impl_->cache = std::move(cache);
  for (unsigned i = 0; i < std::max(threads, 1U); ++i) {
    impl_->workers.emplace_back([impl = impl_.get()] { impl->work(); });
  }
}

const wasm::CodeCache& Loader::cache() const { return *impl_->cache; }

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
  from_hex(program->digest, program->identity);
  CARREL_TRY(ModuleRef module,
             impl_->load(program->digest, [&] { return Result<std::string>(std::move(bytes)); }));

  const std::size_t a_place = module->concurrent() ? 1 : kSlotsAPlace;
  program->places = (module->slots() + a_place - 1) / a_place;
  if (program->places > most_places_)
    return std::unexpected(too_many_places(program->places, most_places_));
  const abi::Shape shape{module->imports(), module->exports()};
  for (const abi::Abi* abi : known_abis()) {
    if (!abi->speaks(shape)) continue;
    program->abi = abi;
    CARREL_TRY_VOID(impl_->check_imports(*abi, std::move(module), engine_));
    return program;
  }
  return fail(Code::unknown_abi,
              fmt::format("{} speaks no ABI that this build knows", file.string()),
              "`carrel inspect FILE` shows what it imports and exports");
}

Result<ModuleRef> Loader::load_now(const Program& program) {
  return impl_->load(program.digest, [&program]() -> Result<std::string> {
    CARREL_TRY(std::string bytes, read_module(program.file));
    if (sha256_hex(bytes) == program.digest) return bytes;
    return fail(Code::unavailable,
                fmt::format("{} has changed since it was checked", program.file.string()),
                "reload the app");
  });
}

async::Task<Result<ModuleRef>> Loader::load(async::Shard& shard,
                                            std::shared_ptr<const Program> program) {
  Waiter waiter{.loader = *impl_, .shard = shard, .program = program};
  {
    std::lock_guard lock(impl_->mutex);
    if (auto module = impl_->mapped[program->digest].lock()) co_return module;
    auto [others, first] = impl_->waiting.try_emplace(program.get());
    others->second.push_back(&waiter);
    if (first) impl_->jobs.emplace_back([this, program] { impl_->bring_in(program, *this); });
  }
  impl_->changed.notify_all();
  co_await waiter.delivery->done;
  co_return std::move(*waiter.delivery->result);
}

}  // namespace carrel::runtime
