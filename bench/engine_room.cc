// What our engine room costs over a bare loop on the C API: store + instance + call + delete.
//
//   engine_room_bench [OPTIONS] [--command] [FILE [REPETITIONS]]
//
// Runs a command module (FILE, or a small built-in one) in turns of both loops, on one engine with
// the same host functions, and prints a line `bare_us X` and a line `room_us Y` a repetition:
// microseconds of CPU time a run, which a busy machine disturbs less than the clock.
// --keep BYTES, --pagemap-scan, --batch N change the engine's settings. The functions are just
// enough of WASI for a command that reads its environment and prints.
#include <carrel/engine.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "wasm/instance.h"
#include "wasm/raw.h"

namespace carrel::wasm {
namespace {

using Args = const std::uint64_t*;
constexpr std::int32_t kBadf = 8, kFault = 21, kNosys = 52;

GuestPtr at(std::uint64_t operand) { return GuestPtr{static_cast<std::uint32_t>(operand)}; }

HostStatus unsupported(Call&, Args, std::int32_t* result) {
  *result = kNosys;
  return HostStatus::done;
}
HostStatus bad_file(Call&, Args, std::int32_t* result) {
  *result = kBadf;
  return HostStatus::done;
}
HostStatus nothing(Call&, Args, std::int32_t* result) {
  *result = 0;
  return HostStatus::done;
}

HostStatus fd_write(Call& call, Args args, std::int32_t* result) {
  const GuestMemory memory = call.memory();
  std::uint32_t total = 0;
  for (std::uint32_t i = 0; i < static_cast<std::uint32_t>(args[2]); ++i) {
    total += memory.load<std::uint32_t>(at(args[1] + i * 8 + 4)).value_or(0);
  }
  *result = memory.store<std::uint32_t>(at(args[3]), total) ? 0 : kFault;
  return HostStatus::done;
}

HostStatus fd_fdstat_get(Call& call, Args args, std::int32_t* result) {
  const GuestMemory memory = call.memory();
  const bool stored = memory.store<std::uint64_t>(at(args[1]), 2) &&
                      memory.store<std::uint64_t>(at(args[1] + 8), UINT64_MAX) &&
                      memory.store<std::uint64_t>(at(args[1] + 16), UINT64_MAX);
  *result = args[0] > 2 ? kBadf : stored ? 0 : kFault;
  return HostStatus::done;
}

HostStatus clock_time_get(Call& call, Args args, std::int32_t* result) {
  *result = call.memory().store<std::uint64_t>(at(args[2]), 1'700'000'000'000'000'000) ? 0 : kFault;
  return HostStatus::done;
}

HostStatus random_get(Call& call, Args args, std::int32_t* result) {
  *result = call.memory().slice(at(args[0]), args[1]) ? 0 : kFault;
  return HostStatus::done;
}

HostStatus proc_exit(Call& call, Args args, std::int32_t*) {
  call.exit(static_cast<std::uint32_t>(args[0]));
  return HostStatus::trap;
}

// Arguments and environment: lists of texts.
constexpr std::string_view kArguments[] = {"guest", "env", "GATEWAY_INTERFACE"};
constexpr std::string_view kEnvironment[] = {"GATEWAY_INTERFACE=CGI/1.1"};

HostStatus list_sizes(std::span<const std::string_view> list, Call& call, Args args,
                      std::int32_t* result) {
  std::size_t bytes = 0;
  for (const auto text : list) bytes += text.size() + 1;
  const bool stored = call.memory().store(at(args[0]), static_cast<std::uint32_t>(list.size())) &&
                      call.memory().store(at(args[1]), static_cast<std::uint32_t>(bytes));
  *result = stored ? 0 : kFault;
  return HostStatus::done;
}

HostStatus list_get(std::span<const std::string_view> list, Call& call, Args args,
                    std::int32_t* result) {
  std::uint64_t pointer = args[0];
  std::uint64_t text_at = args[1];
  *result = kFault;
  for (const auto text : list) {
    auto into = call.memory().slice(at(text_at), text.size() + 1);
    if (!into || !call.memory().store(at(pointer), static_cast<std::uint32_t>(text_at)))
      return HostStatus::done;
    std::memcpy(into->data(), text.data(), text.size());
    (*into)[text.size()] = std::byte{0};
    pointer += 4;
    text_at += text.size() + 1;
  }
  *result = 0;
  return HostStatus::done;
}

HostStatus args_sizes_get(Call& call, Args args, std::int32_t* result) {
  return list_sizes(kArguments, call, args, result);
}
HostStatus args_get(Call& call, Args args, std::int32_t* result) {
  return list_get(kArguments, call, args, result);
}
HostStatus environ_sizes_get(Call& call, Args args, std::int32_t* result) {
  return list_sizes(kEnvironment, call, args, result);
}
HostStatus environ_get(Call& call, Args args, std::int32_t* result) {
  return list_get(kEnvironment, call, args, result);
}

constexpr HostFunction row(const char* name, const char* params, HostFn function,
                           Returns returns = Returns::i32) {
  return {"wasi_snapshot_preview1", name, params, function, Suspends::never, returns};
}

constexpr HostFunction kWasi[] = {
    row("args_get", "ii", args_get),
    row("args_sizes_get", "ii", args_sizes_get),
    row("environ_get", "ii", environ_get),
    row("environ_sizes_get", "ii", environ_sizes_get),
    row("clock_res_get", "ii", unsupported),
    row("clock_time_get", "iIi", clock_time_get),
    row("fd_advise", "iIIi", unsupported),
    row("fd_allocate", "iII", unsupported),
    row("fd_close", "i", nothing),
    row("fd_datasync", "i", unsupported),
    row("fd_fdstat_get", "ii", fd_fdstat_get),
    row("fd_fdstat_set_flags", "ii", nothing),
    row("fd_fdstat_set_rights", "iII", unsupported),
    row("fd_filestat_get", "ii", bad_file),
    row("fd_filestat_set_size", "iI", unsupported),
    row("fd_filestat_set_times", "iIIi", unsupported),
    row("fd_pread", "iiiIi", unsupported),
    row("fd_prestat_get", "ii", bad_file),
    row("fd_prestat_dir_name", "iii", bad_file),
    row("fd_pwrite", "iiiIi", unsupported),
    row("fd_read", "iiii", unsupported),
    row("fd_readdir", "iiiIi", unsupported),
    row("fd_renumber", "ii", unsupported),
    row("fd_seek", "iIii", unsupported),
    row("fd_sync", "i", unsupported),
    row("fd_tell", "ii", unsupported),
    row("fd_write", "iiii", fd_write),
    row("path_create_directory", "iii", unsupported),
    row("path_filestat_get", "iiiii", unsupported),
    row("path_filestat_set_times", "iiiiIIi", unsupported),
    row("path_link", "iiiiiii", unsupported),
    row("path_open", "iiiiiIIii", unsupported),
    row("path_readlink", "iiiiii", unsupported),
    row("path_remove_directory", "iii", unsupported),
    row("path_rename", "iiiiii", unsupported),
    row("path_symlink", "iiiii", unsupported),
    row("path_unlink_file", "iii", unsupported),
    row("poll_oneoff", "iiii", unsupported),
    row("proc_exit", "i", proc_exit, Returns::nothing),
    row("proc_raise", "i", unsupported),
    row("random_get", "ii", random_get),
    row("sched_yield", "", nothing),
    row("sock_accept", "iii", unsupported),
    row("sock_recv", "iiiiii", unsupported),
    row("sock_send", "iiiii", unsupported),
    row("sock_shutdown", "ii", unsupported),
};

// Prints "hello" as a C program does: asks for its environment, writes once, returns.
constexpr std::string_view kHello = R"((module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (data (i32.const 64) "\48\00\00\00\06\00\00\00hello\0a")
  (func (export "_start")
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 8))))))";

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "engine_room_bench: %s\n", why.c_str());
  std::exit(1);
}

template <typename T>
T need(Result<T> result) {
  if (!result) die(result.error().describe());
  return std::move(*result);
}

// The bare loop: what eighty lines on the C API do.
class BareCall final : public Call {
 public:
  BareCall() : Call(nullptr) {}
  GuestMemory memory() override {
    return {reinterpret_cast<std::byte*>(wasmtime_memory_data(context, &exported)),
            wasmtime_memory_data_size(context, &exported)};
  }
  bool exited() const { return exit_code_.has_value(); }
  wasmtime_context_t* context = nullptr;
  wasmtime_memory_t exported{};
};

wasm_trap_t* bare_host_call(void* env, wasmtime_caller_t* caller, wasmtime_val_raw_t* values,
                            size_t) {
  const auto& function = *static_cast<const HostFunction*>(env);
  auto& call = *static_cast<BareCall*>(wasmtime_context_get_data(wasmtime_caller_context(caller)));
  std::uint64_t operands[16];
  for (std::size_t i = 0; function.params[i] != 0; ++i) {
    operands[i] = function.params[i] == 'I' ? static_cast<std::uint64_t>(values[i].i64)
                                            : static_cast<std::uint32_t>(values[i].i32);
  }
  std::int32_t result = 0;
  if (function.function(call, operands, &result) != HostStatus::done)
    return wasmtime_trap_new("exit", 4);
  values[0].i32 = result;
  return nullptr;
}

wasmtime_instance_pre_t* bare_prepare(const Engine& engine, const Module& module) {
  wasmtime_linker_t* linker = wasmtime_linker_new(engine.raw());
  for (const HostFunction& function : kWasi) {
    wasm_valtype_vec_t params{};
    wasm_valtype_vec_t results{};
    const std::string_view spelled(function.params);
    wasm_valtype_vec_new_uninitialized(&params, spelled.size());
    for (std::size_t i = 0; i < spelled.size(); ++i) {
      params.data[i] = wasm_valtype_new(spelled[i] == 'I' ? WASM_I64 : WASM_I32);
    }
    wasm_valtype_t* one = wasm_valtype_new(WASM_I32);
    if (function.returns == Returns::i32) wasm_valtype_vec_new(&results, 1, &one);
    wasm_functype_t* type = wasm_functype_new(&params, &results);
    wasmtime_linker_define_func_unchecked(
        linker, function.module.data(), function.module.size(), function.name.data(),
        function.name.size(), type, bare_host_call, const_cast<HostFunction*>(&function), nullptr);
    wasm_functype_delete(type);
  }
  wasmtime_instance_pre_t* pre = nullptr;
  if (ErrorHandle error(wasmtime_linker_instantiate_pre(linker, module.raw(), &pre)); error) {
    die(message_of(error.get()));
  }
  return pre;
}

void bare_run(const Engine& engine, wasmtime_instance_pre_t* pre) {
  BareCall call;
  wasmtime_store_t* store = wasmtime_store_new(engine.raw(), &call, nullptr);
  call.context = wasmtime_store_context(store);
  wasmtime_context_set_epoch_deadline(call.context, 1ULL << 40);
  wasmtime_instance_t instance{};
  wasm_trap_t* trap = nullptr;
  wasmtime_error_t* error = nullptr;
  wasmtime_call_future_t* future =
      wasmtime_instance_pre_instantiate_async(pre, call.context, &instance, &trap, &error);
  while (!wasmtime_call_future_poll(future)) {
  }
  wasmtime_call_future_delete(future);
  wasmtime_extern_t item{};
  wasmtime_instance_export_get(call.context, &instance, "memory", 6, &item);
  call.exported = item.of.memory;
  wasmtime_instance_export_get(call.context, &instance, "_start", 6, &item);
  future =
      wasmtime_func_call_async(call.context, &item.of.func, nullptr, 0, nullptr, 0, &trap, &error);
  while (!wasmtime_call_future_poll(future)) {
  }
  wasmtime_call_future_delete(future);
  if ((trap != nullptr || error != nullptr) && !call.exited()) die("the bare loop's guest failed");
  if (trap != nullptr) wasm_trap_delete(trap);
  if (error != nullptr) wasmtime_error_delete(error);
  wasmtime_store_delete(store);
}

async::Task<void> room_runs(async::Shard* shard, async::RunAccount* account,
                            const Prepared* prepared, int runs) {
  for (int i = 0; i < runs; ++i) {
    Instance instance(*shard, *account, *prepared, nullptr,
                      {.memory = 512ULL << 20, .cpu = std::chrono::seconds(60)});
    const Outcome outcome = co_await instance.run("_start");
    if (!outcome.ok()) die("the room's guest failed: " + outcome.trap);
  }
}

double microseconds_a_run(Nanos start, int runs) {
  return std::chrono::duration<double, std::micro>(thread_cpu_time() - start).count() / runs;
}

struct Options {
  EngineSettings settings = settings_for_this_machine();
  std::string file;
  int repetitions = 5;
};

Options parse(int argc, char** argv) {
  Options options;
  std::vector<std::string> rest;
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const auto number = [&] { return i + 1 < argc ? std::strtoull(argv[++i], nullptr, 10) : 0ULL; };
    if (option == "--keep")
      options.settings.memory_keep_resident = number();
    else if (option == "--stack-keep")
      options.settings.stack_keep_resident = number();
    else if (option == "--batch")
      options.settings.decommit_batch = static_cast<std::uint32_t>(number());
    else if (option == "--pagemap-scan")
      options.settings.pagemap_scan = true;
    else if (option != "--command")
      rest.emplace_back(option);
  }
  if (!rest.empty()) options.file = rest[0];
  if (rest.size() > 1) options.repetitions = std::atoi(rest[1].c_str());
  return options;
}

int bench(const Options& options) {
  std::string wasm(kHello);
  if (!options.file.empty()) {
    std::ifstream in(options.file, std::ios::binary);
    wasm.assign(std::istreambuf_iterator<char>(in), {});
  }
  auto engine = need(Engine::make(options.settings));
  auto module = need(Module::compile(engine, std::as_bytes(std::span(wasm))));
  auto linker = need(Linker::make(engine, kWasi));
  auto prepared = need(linker->prepare(module));
  wasmtime_instance_pre_t* pre = bare_prepare(*engine, *module);
  async::Shard shard;
  async::RunAccount account;

  // As many runs as take a tenth of a second; the two loops take turns within a repetition.
  Nanos start = thread_cpu_time();
  for (int i = 0; i < 20; ++i) bare_run(*engine, pre);
  const int runs = std::max(5, static_cast<int>(25'000 / microseconds_a_run(start, 20)));
  for (int repetition = 0; repetition < options.repetitions; ++repetition) {
    double bare = 0;
    double room = 0;
    constexpr int kTurns = 4;
    for (int turn = 0; turn < kTurns; ++turn) {
      start = thread_cpu_time();
      for (int i = 0; i < runs; ++i) bare_run(*engine, pre);
      bare += microseconds_a_run(start, runs) / kTurns;
      start = thread_cpu_time();
      shard.run_until_done(room_runs(&shard, &account, prepared.get(), runs));
      room += microseconds_a_run(start, runs) / kTurns;
    }
    std::printf("bare_us %.3f\nroom_us %.3f\n", bare, room);
  }
  wasmtime_instance_pre_delete(pre);
  return 0;
}

}  // namespace
}  // namespace carrel::wasm

int main(int argc, char** argv) { return carrel::wasm::bench(carrel::wasm::parse(argc, argv)); }
