#include "wasm/instance.h"

#include <fmt/format.h>

#include "async/first_of.h"
#include "wasm/raw.h"

namespace carrel::wasm {
namespace {

using End = Outcome::End;

std::string_view trap_text(wasmtime_trap_code_t code) {
  switch (code) {
    case WASMTIME_TRAP_CODE_STACK_OVERFLOW: return "stack overflow";
    case WASMTIME_TRAP_CODE_MEMORY_OUT_OF_BOUNDS: return "memory access out of bounds";
    case WASMTIME_TRAP_CODE_TABLE_OUT_OF_BOUNDS: return "table access out of bounds";
    case WASMTIME_TRAP_CODE_INDIRECT_CALL_TO_NULL: return "indirect call to null";
    case WASMTIME_TRAP_CODE_BAD_SIGNATURE: return "indirect call with another signature";
    case WASMTIME_TRAP_CODE_INTEGER_OVERFLOW: return "integer overflow";
    case WASMTIME_TRAP_CODE_INTEGER_DIVISION_BY_ZERO: return "division by zero";
    case WASMTIME_TRAP_CODE_BAD_CONVERSION_TO_INTEGER: return "conversion of an invalid number";
    case WASMTIME_TRAP_CODE_UNREACHABLE_CODE_REACHED: return "unreachable code reached";
    default: return "trap";
  }
}

std::vector<Frame> take_frames(wasm_frame_vec_t& raw) {
  std::vector<Frame> frames;
  frames.reserve(raw.size);
  for (std::size_t i = 0; i < raw.size; ++i) {
    frames.push_back({text_of(wasmtime_frame_func_name(raw.data[i])), wasm_frame_module_offset(raw.data[i])});
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
  bool has_memory = false;

  void (*leave_hook)(void*) noexcept = nullptr;
  void* hook_state = nullptr;

  // The call in progress. The engine writes to the two pointers when the future is ready.
  wasm_trap_t* trap = nullptr;
  wasmtime_error_t* error = nullptr;
  FutureHandle future;  // destroyed before the store

  Nanos cpu{};             // used in slices that have ended
  Instant slice_start{};
  Nanos slice_cpu_start{};  // thread CPU time; zero in the first slice, which goes by the clock
  bool first_slice = true;
  End stopped = End::returned;  // set by the epoch callback when a limit ends the guest

  // The first slice is a tick at most, so the clock is good enough and saves two system calls a turn.
  Nanos slice_used() const {
    return first_slice ? std::chrono::steady_clock::now() - slice_start : thread_cpu_time() - slice_cpu_start;
  }
  void begin_slice() {
    if (first_slice) {
      slice_start = std::chrono::steady_clock::now();
    } else {
      slice_cpu_start = thread_cpu_time();
    }
  }
  void end_slice() {
    const Nanos used = slice_used();
    cpu += used;
    shard.run_queue().charge(account, used);
    first_slice = false;
  }

  // Runs inside the guest at every tick: ends it at a limit, else gives the shard to the next.
  static wasmtime_error_t* on_epoch(wasmtime_context_t*, void* self, std::uint64_t* delta,
                                    wasmtime_update_deadline_kind_t* kind) {
    auto& impl = *static_cast<Impl*>(self);
    if (impl.cpu + impl.slice_used() >= impl.limits.cpu) {
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

  async::Task<void> drive(async::Task<void>& pending) {
    prepared.module().engine()->keep_ticking();
    wasmtime_context_set_epoch_deadline(context, 1);
    for (;;) {
      begin_slice();
      const bool ready = wasmtime_call_future_poll(future.get());
      end_slice();
      if (ready) break;
      if (leave_hook != nullptr) leave_hook(hook_state);
      if (!pending) {
        co_await shard.run_queue().turn(account);
        prepared.module().engine()->keep_ticking();
        continue;
      }
      if (limits.deadline == Instant::max()) {
        co_await std::move(pending);
      } else if (co_await async::first_of(std::move(pending), shard.sleep_until(limits.deadline)) == 1) {
        stopped = End::deadline;
      }
      pending = {};
      if (stopped != End::returned) break;
    }
    future.reset();  // unwinds a guest that is still in progress
  }

  Outcome outcome() {
    Outcome result;
    TrapHandle trap_owner(std::exchange(trap, nullptr));
    ErrorHandle error_owner(std::exchange(error, nullptr));
    if (stopped != End::returned) {
      result.end = stopped;
      return result;
    }
    wasm_frame_vec_t raw{};
    if (trap_owner) {
      wasmtime_trap_code_t code = 0;
      result.end = End::trapped;
      result.trap = wasmtime_trap_code(trap_owner.get(), &code) ? trap_text(code) : "trap";
      wasm_trap_trace(trap_owner.get(), &raw);
      result.frames = take_frames(raw);
    } else if (error_owner) {
      result.end = End::trapped;
      result.trap = message_of(error_owner.get());
      wasmtime_error_wasm_trace(error_owner.get(), &raw);
      result.frames = take_frames(raw);
    }
    return result;
  }
};

Instance::Instance(async::Shard& shard, async::RunAccount& account, const Prepared& prepared, void* state,
                   const CallLimits& limits)
    : Call(state), impl_(new Impl{.shard = shard, .account = account, .prepared = prepared, .limits = limits}) {
  impl_->store.reset(wasmtime_store_new(prepared.module().engine()->raw(), this, nullptr));
  impl_->context = wasmtime_store_context(impl_->store.get());
  wasmtime_store_limiter(impl_->store.get(), static_cast<std::int64_t>(limits.memory), -1, 1, -1, 1);
  wasmtime_store_epoch_deadline_callback(impl_->store.get(), Impl::on_epoch, impl_.get(), nullptr);
}

Instance::~Instance() {
  impl_->future.reset();
  TrapHandle trap(impl_->trap);
  ErrorHandle error(impl_->error);
}

void Instance::on_leave(void (*hook)(void* state) noexcept) {
  impl_->leave_hook = hook;
  impl_->hook_state = state();
}

GuestMemory Instance::memory() {
  if (!impl_->has_memory) return {};
  return {reinterpret_cast<std::byte*>(wasmtime_memory_data(impl_->context, &impl_->memory)),
          wasmtime_memory_data_size(impl_->context, &impl_->memory)};
}

async::Task<Outcome> Instance::run(std::string_view export_name) {
  Impl& impl = *impl_;
  impl.future.reset(wasmtime_instance_pre_instantiate_async(impl.prepared.raw(), impl.context, &impl.instance,
                                                            &impl.trap, &impl.error));
  co_await impl.drive(pending_);
  Outcome outcome = impl.outcome();
  if (outcome.end == Outcome::End::trapped && outcome.frames.empty()) outcome.end = Outcome::End::refused;

  if (outcome.end == Outcome::End::returned) {
    wasmtime_extern_t item{};
    if (wasmtime_instance_export_get(impl.context, &impl.instance, "memory", 6, &item) &&
        item.kind == WASMTIME_EXTERN_MEMORY) {
      impl.memory = item.of.memory;
      impl.has_memory = true;
    }
    if (wasmtime_instance_export_get(impl.context, &impl.instance, export_name.data(), export_name.size(), &item) &&
        item.kind == WASMTIME_EXTERN_FUNC) {
      const wasmtime_func_t function = item.of.func;
      impl.future.reset(wasmtime_func_call_async(impl.context, &function, nullptr, 0, nullptr, 0, &impl.trap,
                                                 &impl.error));
      co_await impl.drive(pending_);
      outcome = impl.outcome();
    } else {
      outcome.end = Outcome::End::refused;
      outcome.trap = fmt::format("the module exports no function \"{}\"", export_name);
    }
  }
  if (outcome.end == Outcome::End::trapped) {
    if (exit_code_) {
      outcome.end = Outcome::End::exited;
      outcome.exit_code = *exit_code_;
    } else if (!abort_reason_.empty()) {
      outcome.end = Outcome::End::aborted;
      outcome.trap = abort_reason_;
    }
  }
  outcome.cpu = impl.cpu;
  outcome.memory_peak = memory().size();
  co_return outcome;
}

}  // namespace carrel::wasm
