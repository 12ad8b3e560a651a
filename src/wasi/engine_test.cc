// The same functions as a guest meets them: in the engine, suspended and resumed.
#include "wasi/fake_files.h"
#include "wasi/wasi.h"
#include "wasm/test_room.h"

namespace carrel::wasi {
namespace {

using testing::FakePipe;
using testing::FakeStream;

struct Guest {
  explicit Guest(wasm::testing::TestRoom& room)
      : wasi(room.shard, system_clock(), environment()), pointer(&wasi) {}
  Environment environment() {
    Environment result;
    result.standard_in = std::make_unique<FakeStream>(pipe);
    result.standard_out = std::make_unique<FakeStream>(pipe);
    return result;
  }
  FakePipe pipe;
  Wasi wasi;
  Wasi* pointer;
};

TEST(WasiInTheEngine, AGuestSaysHelloAndExits) {
  wasm::testing::TestRoom room(imports());
  Guest guest(room);
  const auto outcome = room.run(R"((module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\08\00\00\00\06\00\00\00hello\0a")
    (func (export "run")
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))
      (call $exit (i32.load (i32.const 100))))))",
                                wasm::testing::wide_limits(), &guest.pointer);
  EXPECT_EQ(outcome.end, wasm::Outcome::End::exited);
  EXPECT_EQ(outcome.exit_code, 6U);
  EXPECT_EQ(guest.pipe.output, "hello\n");
}

// Ends with the number of milliseconds that its clock saw it sleep.
TEST(WasiInTheEngine, AGuestSleepsWithoutUsingItsCpuTime) {
  wasm::testing::TestRoom room(imports());
  Guest guest(room);
  const auto outcome = room.run(R"((module
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "run")
      (i32.store (i32.const 16) (i32.const 1))
      (i64.store (i32.const 24) (i64.const 20000000))
      (drop (call $time (i32.const 1) (i64.const 0) (i32.const 200)))
      (if (call $poll (i32.const 0) (i32.const 100) (i32.const 1) (i32.const 96)) (then unreachable))
      (drop (call $time (i32.const 1) (i64.const 0) (i32.const 208)))
      (call $exit (i32.wrap_i64 (i64.div_u
        (i64.sub (i64.load (i32.const 208)) (i64.load (i32.const 200))) (i64.const 1000000)))))))",
                                wasm::testing::wide_limits(), &guest.pointer);
  EXPECT_EQ(outcome.end, wasm::Outcome::End::exited) << outcome.trap;
  EXPECT_GE(outcome.exit_code, 20U);
}

TEST(WasiInTheEngine, BothSnapshotsAreThereWhole) {
  wasm::testing::TestRoom room(imports());
  for (const wasm::HostFunction& row : imports()) {
    std::string params;
    for (const char* kind = row.params; *kind != 0; ++kind)
      params += *kind == 'I' ? " i64" : " i32";
    const std::string type = (params.empty() ? "" : "(param" + params + ")") +
                             (row.returns == wasm::Returns::i32 ? " (result i32)" : "");
    room.prepare("(module (import \"" + std::string(row.module) + "\" \"" + std::string(row.name) +
                 "\" (func " + type + ")))");
  }
}

}  // namespace
}  // namespace carrel::wasi
