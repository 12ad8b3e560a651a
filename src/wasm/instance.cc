#include "wasm/instance.h"

#include <fmt/format.h>

#include <bit>

#include "async/first_of.h"
#include "wasm/raw.h"
#include "wasm/slices.h"

namespace carrel::wasm {
namespace {

using End = Outcome::End;

std::string_view trap_text(wasmtime_trap_code_t code) {
  switch (code) {
    case WASMTIME_TRAP_CODE_STACK_OVERFLOW:
      return "stack overflow";
    case WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS:
      return "memory access out of bounds";
    case WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS:
      return "table access out of bounds";
    case WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL:
      return "indirect call to null";
    case WASMTIME_TRAP_CODE_BAD_SIGNATURE:
      return "indirect call with another signature";
    case WASMTIME_TRAP_CODE_INTEGER_OVERFLOW:
      return "integer overflow";
    case WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO:
      return "division by zero";
    case WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER:
      return "conversion of an invalid number";
    case WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED:
      return "unreachable code reached";
    default:
      return "trap";
  }
}

// Frame names are the guest's: bounded, because they go to logs.
std::vector<Frame> take_frames(wasm_frame_vec_t& raw) {
  constexpr std::size_t kMaxName = 256;
  std::vector<Frame> frames;
  frames.reserve(raw.size);
  for (std::size_t i = 0; i < raw.size; ++i) {
    std::string name = text_of(wasmtime_frame_func_name(raw.data[i]));
    if (name.size() > kMaxName) name.resize(kMaxName);
    frames.push_back({std::move(name), wasm_frame_module_offset(raw.data[i])});
  }
  wasm_frame_vec_delete(&raw);
  return frames;
}

}  // namespace

struct Instance::Impl {
  async::Shard& shard;
  async::RunAccount& account;
  const Prepared& prepared;
  CallLimits limits;
  StoreHandle store;
  wasmtime_context_t* context = nullptr;
  wasmtime_instance_t instance{};
  wasmtime_memory_t memory{};
  enum class Memory : std::uint8_t { not_asked, none, some } has_memory = Memory::not_asked;

  void (*leave_hook)(void*, Leave) noexcept = nullptr;
  void* hook_state = nullptr;

  // The call in progress. The engine writes to the two pointers when the future is ready.
  wasm_trap_t* trap = nullptr;
  wasmtime_error_t* error = nullptr;
  FutureHandle future;  // destroyed before the store

  Slices slices;
  End stopped = End::returned;  // set when a limit ends the guest
  bool ended = false;           // and all it used has been told

  void begin_slice() { slices.begin(); }
  void end_slice() {
    if (slices.end(memory_bytes())) stopped = End::cpu_limit;
  }

  std::uint64_t memory_bytes() const {
    return has_memory == Memory::some ? wasmtime_memory_data_size(context, &memory) : 0;
  }

  // Runs inside the guest at every tick: ends it at a limit, else gives the shard to the next.
  static wasmtime_error_t* on_epoch(wasmtime_context_t*, void* self, std::uint64_t* delta,
                                    wasmtime_update_deadline_kind_t* kind) {
    auto& impl = *static_cast<Impl*>(self);
    if (impl.slices.over()) {
      impl.stopped = End::cpu_limit;
    } else if (std::chrono::steady_clock::now() >= impl.limits.deadline) {
      impl.stopped = End::deadline;
    } else {
      *delta = 1;
      *kind = WASMTIME_UPDATE_DEADLINE_YIELD;
      return nullptr;
    }
    return wasmtime_error_new("limit");
  }

  bool poll() { return wasmtime_call_future_poll(future.get()); }

  // What the guest waits for may end at once, as a function of the application does that answers
  // before it returns. Then the guest goes on, if anything is left of its tick.
  bool goes_on_at_once(async::Task<void>& pending) {
    const Instant end = slices.aside([&] { pending.start(); });
    if (!pending.done()) return false;
    pending = {};
    if (end >= limits.deadline) stopped = End::deadline;
    return !slices.lasted(end);
  }

  // Between two slices. A guest that waited queues up like one that computed: nobody gets more of
  // the shard by waiting often, or keeps it for more than a tick by waiting for what is there.
  async::Task<void> rest(async::Task<void>& pending) {
    if (pending) {
      if (limits.deadline == Instant::max()) {
        co_await pending.end();
      } else {
        co_await async::first_of(async::end_of(&pending), shard.sleep_until(limits.deadline));
        if (std::chrono::steady_clock::now() >= limits.deadline) stopped = End::deadline;
      }
      pending = {};
    }
    if (stopped == End::returned) co_await shard.run_queue().turn(account);
  }

  // For a guest that did not end at its first step. Begins and ends inside a slice.
  async::Task<void> drive(async::Task<void>& pending) {
    do {
      if (pending && goes_on_at_once(pending)) continue;
      end_slice();
      if (leave_hook != nullptr) leave_hook(hook_state, pending ? Leave::waits : Leave::tick_over);
      if (stopped == End::returned) {
        co_await rest(pending);
      } else {
        pending = {};
      }
      begin_slice();
    } while (stopped == End::returned && !poll());
  }

  static wasmtime_extern_t nothing() {
    return {.kind = WASMTIME_EXTERN_SHAREDMEMORY, .of = {}};  // no module has one: threads are off
  }

  wasmtime_extern_t at(const ExportPlace& place) {
    wasmtime_extern_t item = nothing();
    if (place) {
      const auto raw = std::bit_cast<carrel_export>(*place);
      carrel_instance_export(context, &instance, &raw, &item);
    }
    return item;
  }

  wasmtime_extern_t find(std::string_view name) {
    if (name == "_start") return at(prepared.start());
    wasmtime_extern_t item = nothing();
    wasmtime_instance_export_get(context, &instance, name.data(), name.size(), &item);
    return item;
  }

  void keep_memory(const wasmtime_extern_t& item) {
    has_memory = item.kind == WASMTIME_EXTERN_MEMORY ? Memory::some : Memory::none;
    if (has_memory == Memory::some) memory = item.of.memory;
  }

  // What the engine has reported since the last time. A guest that wanted to end is not asked where
  // it was.
  void collect(Outcome& result, const std::optional<std::uint32_t>& exit_code) {
    future.reset();  // unwinds a guest that is still in progress
    TrapHandle trap_owner(std::exchange(trap, nullptr));
    ErrorHandle error_owner(std::exchange(error, nullptr));
    if (exit_code && stopped == End::returned) {
      result.end = End::exited;
      result.exit_code = *exit_code;
      return;
    }
    result.end = stopped;
    wasm_frame_vec_t raw{};
    if (trap_owner) {
      wasmtime_trap_code_t code = 0;
      result.trap = wasmtime_trap_code(trap_owner.get(), &code) ? trap_text(code) : "trap";
      wasm_trap_trace(trap_owner.get(), &raw);
    } else if (error_owner) {
      wasmtime_error_wasm_trace(error_owner.get(), &raw);
      if (stopped == End::returned) result.trap = message_of(error_owner.get());
    } else {
      return;
    }
    result.frames = take_frames(raw);
    if (stopped == End::returned) result.end = result.frames.empty() ? End::refused : End::trapped;
  }
};

Instance::Instance(async::Shard& shard, async::RunAccount& account, const Prepared& prepared,
                   void* state, const CallLimits& limits)
    : Call(state),
      impl_(new Impl{.shard = shard,
                     .account = account,
                     .prepared = prepared,
                     .limits = limits,
                     .slices = Slices(shard, account, prepared.engine().ticker(), limits)}) {
  impl_->store.reset(wasmtime_store_new(prepared.engine().raw(), this, nullptr));
  impl_->context = wasmtime_store_context(impl_->store.get());
  wasmtime_store_limiter(impl_->store.get(), static_cast<std::int64_t>(limits.memory), -1, 1, -1,
                         1);
  wasmtime_store_epoch_deadline_callback(impl_->store.get(), Impl::on_epoch, impl_.get(), nullptr);
}

Instance::~Instance() {
  if (!impl_->ended) impl_->slices.tell_rest(impl_->memory_bytes());
  impl_->future.reset();
  TrapHandle trap(impl_->trap);
  ErrorHandle error(impl_->error);
}

void Instance::on_leave(void (*hook)(void* state, Leave why) noexcept) {
  impl_->leave_hook = hook;
  impl_->hook_state = state();
}

// A start function calls host functions before the instance is handed out: ask the caller for its
// memory.
void Instance::meet(wasmtime_caller* caller) {
  if (impl_->has_memory != Impl::Memory::not_asked) return;
  wasmtime_extern_t item = Impl::nothing();
  if (const ExportPlace& place = impl_->prepared.memory()) {
    const auto raw = std::bit_cast<carrel_export>(*place);
    carrel_caller_export(caller, &raw, &item);
  }
  impl_->keep_memory(item);
}

GuestMemory Instance::memory() {
  if (impl_->has_memory != Impl::Memory::some) return {};
  return {reinterpret_cast<std::byte*>(wasmtime_memory_data(impl_->context, &impl_->memory)),
          wasmtime_memory_data_size(impl_->context, &impl_->memory)};
}

async::Task<Outcome> Instance::run(std::string_view export_name) {
  Impl& impl = *impl_;
  Outcome outcome;
  if (const std::uint64_t least = impl.prepared.least_memory(); least > impl.limits.memory) {
    outcome.end = Outcome::End::refused;
    outcome.trap =
        fmt::format("the module needs {} KiB of memory to start, and its limit is {} KiB",
                    least >> 10, impl.limits.memory >> 10);
    co_return outcome;
  }
  // Where guests wait for the shard, a new one takes its tenant's place among them.
  if (async::RunQueue& queue = impl.shard.run_queue(); queue.empty()) {
    queue.run_at_once(impl.account);
  } else {
    co_await queue.turn(impl.account);
  }
  impl.begin_slice();
  wasmtime_context_set_epoch_deadline(impl.context, 1);
  impl.future.reset(wasmtime_instance_pre_instantiate_async(
      impl.prepared.raw(), impl.context, &impl.instance, &impl.trap, &impl.error));
  if (!impl.poll()) co_await impl.drive(pending_);
  impl.collect(outcome, exit_code_);

  if (outcome.end == End::returned) {
    if (impl.has_memory == Impl::Memory::not_asked)
      impl.keep_memory(impl.at(impl.prepared.memory()));
    const wasmtime_extern_t item = impl.find(export_name);
    if (item.kind == WASMTIME_EXTERN_FUNC) {
      impl.future.reset(wasmtime_func_call_async(impl.context, &item.of.func, nullptr, 0, nullptr,
                                                 0, &impl.trap, &impl.error));
      if (!impl.poll()) co_await impl.drive(pending_);
      impl.collect(outcome, exit_code_);
    } else {
      outcome.end = Outcome::End::refused;
      outcome.trap = fmt::format("the module exports no function \"{}\"", export_name);
    }
  }
  if (outcome.end == End::trapped && !abort_reason_.empty()) {
    outcome.end = End::aborted;
    outcome.trap = std::move(abort_reason_);
  }
  impl.end_slice();
  impl.ended = true;
  outcome.cpu = impl.slices.used();
  outcome.memory_peak = memory().size();
  co_return outcome;
}

}  // namespace carrel::wasm
