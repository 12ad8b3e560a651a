// Any bytes as a component, binary or text: it is refused in words, or it compiles, says what it
// imports, and is run with a limit. What runs may end in any way but by ending this process.
#include <cstdlib>
#include <span>

#include "wasm/component_instance.h"
#include "wasm/raw.h"

namespace carrel::wasm {
namespace {

HostStatus refuse(Call&, const std::uint64_t*, std::int32_t* result) {
  constexpr std::int32_t kNoSuchFunction = 52;
  *result = kNoSuchFunction;
  return HostStatus::done;
}

constexpr HostFunction kRows[] = {
#define CARREL_ROW(function_name) \
  {.module = "wasi_snapshot_preview1", .name = #function_name, .params = "", .function = refuse},
    CARREL_PREVIEW1_FUNCTIONS(CARREL_ROW)
#undef CARREL_ROW
};

// Made once: an engine reserves its slots.
struct Room {
  Room() {
    EngineSettings settings;
    settings.slots = 4;
    engine = Engine::make(settings).value();
    linker = Linker::make_for_components(engine, World::command, kRows).value();
  }
  std::shared_ptr<Engine> engine;
  std::unique_ptr<Linker> linker;
  async::Shard shard;
  async::RunAccount account;
};

async::Task<void> run(Room* room, const Prepared* prepared) {
  const CallLimits limits{.memory = 1 << 20, .cpu = std::chrono::milliseconds(20)};
  ComponentInstance instance(room->shard, room->account, *prepared, nullptr, limits);
  (void)co_await instance.run();
}

void load(Room& room, std::span<const std::byte> bytes) {
  auto module = Module::compile(room.engine, bytes);
  if (!module) {
    if (module.error().message().empty()) std::abort();
    return;
  }
  (void)(*module)->imports();
  (void)(*module)->exports();
  if (!(*module)->is_component()) return;
  (void)(*module)->wit();
  auto prepared = room.linker->prepare(*module);
  if (!prepared) {
    if (prepared.error().message().empty()) std::abort();
    return;
  }
  room.shard.run_until_done(run(&room, prepared->get()));
}

}  // namespace
}  // namespace carrel::wasm

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static carrel::wasm::Room room;
  carrel::wasm::load(room, std::as_bytes(std::span(data, size)));
  return 0;
}
