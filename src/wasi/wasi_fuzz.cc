// Calls functions of WASI in any order with any operands. What must hold: every call answers with
// an errno or waits, nothing outside the guest's memory is touched, and a turn that waits can be
// dropped.
#include <cstdlib>
#include <memory>

#include "wasi/fake_call.h"
#include "wasi/fake_files.h"
#include "wasi/wasi.h"

namespace carrel::wasi {
namespace {

// Takes values off the fuzzer's bytes; zeros when there are no more.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : bytes_(data, size) {}
  bool empty() const { return bytes_.empty(); }

  template <typename T>
  T take() {
    T value{};
    const std::size_t n = std::min(sizeof value, bytes_.size());
    std::memcpy(&value, bytes_.data(), n);
    bytes_ = bytes_.subspan(n);
    return value;
  }
  std::span<const std::uint8_t> take_bytes(std::size_t n) {
    const auto taken = bytes_.first(std::min(n, bytes_.size()));
    bytes_ = bytes_.subspan(taken.size());
    return taken;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

struct Guest {
  Guest() : wasi(shard, clock, environment()), pointer(&wasi), call(&pointer) {}

  Environment environment() {
    Environment result;
    result.arguments->add("program");
    result.variables->add("NAME", "value");
    result.tree->mount("/tmp", std::make_shared<testing::FakeFolder>());
    result.tree->mount("/x/y", std::make_shared<testing::FakeFolder>());
    result.preopens.push_back({"/", "/"});
    result.standard_in = std::make_unique<testing::FakeStream>(pipe);
    result.standard_out = std::make_unique<testing::FakeStream>(pipe);
    result.max_open_files = 16;
    result.private_memory = 1 << 20;
    return result;
  }

  async::Shard shard;
  testing::FakeClock clock;
  testing::FakePipe pipe;
  Wasi wasi;
  Wasi* pointer;
  testing::FakeCall call;
};

// Mostly near the data that was put in, or small; now and then anything.
std::uint64_t operand(Input& input) {
  switch (input.take<std::uint8_t>() % 4) {
    case 0:
      return input.take<std::uint8_t>() % 8;
    case 1:
      return input.take<std::uint8_t>();
    case 2:
      return input.take<std::uint32_t>();
    default:
      return input.take<std::uint64_t>();
  }
}

void make_call(Guest& guest, Input& input) {
  const auto& row = imports()[input.take<std::uint8_t>() % imports().size()];
  const auto data = std::as_bytes(input.take_bytes(input.take<std::uint8_t>()));
  std::ranges::copy(data, guest.call.bytes().begin());
  std::uint64_t operands[16];
  std::size_t count = 0;
  for (const char* kind = row.params; *kind != 0; ++kind) {
    const std::uint64_t value = operand(input);
    operands[count++] = *kind == 'i' ? value & 0xffffffff : value;
  }
  std::int32_t result = -1;
  const auto status = row.function(guest.call, operands, &result);
  if (status == wasm::HostStatus::pending) {
    guest.pipe.input += "more";
    auto dropped = guest.call.take_wait();
    // Asked again with the same operands, as the engine does, but a clock may never come.
    if (row.function(guest.call, operands, &result) == wasm::HostStatus::pending)
      (void)guest.call.take_wait();
  } else if (status == wasm::HostStatus::done && row.returns == wasm::Returns::i32) {
    if (result < 0 || result > static_cast<std::int32_t>(Errno::notcapable)) std::abort();
  }
}

}  // namespace
}  // namespace carrel::wasi

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  carrel::wasi::Input input(data, size);
  carrel::wasi::Guest guest;
  for (int calls = 0; !input.empty() && calls < 64; ++calls) carrel::wasi::make_call(guest, input);
  (void)guest.wasi.close_all();
  return 0;
}
