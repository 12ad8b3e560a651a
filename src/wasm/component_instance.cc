#include "wasm/component_instance.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <list>

#include "async/event.h"
#include "async/first_of.h"
#include "wasm/raw.h"
#include "wasm/slices.h"

namespace carrel::wasm {
namespace {

using End = Outcome::End;
using TaskHandle = Handle<carrel_task, carrel_task_free>;

constexpr std::uint32_t kMostHandles = 1000;  // that a guest holds at once

carrel_text to_c(std::string_view text) { return {.data = text.data(), .size = text.size()}; }
std::string_view from_c(carrel_text text) { return {text.data, text.size}; }

std::vector<carrel_text> to_c(std::span<const Field> fields) {
  std::vector<carrel_text> texts;
  texts.reserve(fields.size() * 2);
  for (const Field& field : fields) {
    texts.push_back(to_c(field.name));
    texts.push_back(to_c(field.value));
  }
  return texts;
}

std::vector<Field> from_c(const carrel_text* texts, std::size_t count) {
  std::vector<Field> fields;
  fields.reserve(count / 2);
  for (std::size_t i = 0; i + 1 < count; i += 2) {
    fields.push_back({.name = from_c(texts[i]), .value = from_c(texts[i + 1])});
  }
  return fields;
}

// Lines "OFFSET NAME".
std::vector<Frame> frames_of(std::string_view lines) {
  std::vector<Frame> frames;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    Frame frame{.function = {}, .offset = 0};
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), frame.offset);
    if (error != std::errc()) continue;
    const auto name = line.substr(static_cast<std::size_t>(end - line.data()));
    frame.function = name.substr(std::min<std::size_t>(name.size(), 1));
    frames.push_back(std::move(frame));
  }
  return frames;
}

End end_of(carrel_task_end end) {
  switch (end) {
    case CARREL_END_RETURNED:
      return End::returned;
    case CARREL_END_EXITED:
      return End::exited;
    case CARREL_END_TRAPPED:
      return End::trapped;
    case CARREL_END_REFUSED:
      return End::refused;
    case CARREL_END_BAD_REPLY:
      return End::bad_reply;
  }
  return End::trapped;
}

// Something a guest waits for, until it has ended or is not wanted any more.
struct Wait {
  carrel_wait* handle;  // null: ended
  async::Task<void> task;
};

// Wakes who drives the task; may be used by any thread, and after the task is gone.
struct Signal {
  async::Event event;  // of the shard's thread
};

async::Task<void> until_ended(Wait* wait, async::Task<void> until) {
  co_await std::move(until);
  carrel_wait_end(std::exchange(wait->handle, nullptr));
}

async::Task<void> until_signalled(std::shared_ptr<Signal> signal) { co_await signal->event; }

}  // namespace

struct ComponentInstance::Impl {
  ComponentInstance& self;
  async::Shard& shard;
  async::RunAccount& account;
  const Prepared& prepared;
  CallLimits limits;
  Slices slices;
  HttpExchange* exchange = nullptr;
  std::vector<Field> request_trailers;
  std::vector<carrel_text> request_trailer_texts;  // of these
  std::shared_ptr<Signal> signal = std::make_shared<Signal>();
  std::list<Wait> waits;
  void (*leave_hook)(void*, Instance::Leave) noexcept = nullptr;
  End stopped = End::returned;    // set when a limit ends the guest
  std::uint64_t seen_memory = 0;  // bytes: what it showed when it last called the host
  bool ended = false;             // and all it used has been told
  bool keep = false;
  unsigned turns = 0;  // that the instance has served before
  std::unique_ptr<KeptInstance> kept;
  TaskHandle task;  // goes first: then nobody waits any more

  static Impl& of(void* user) { return *static_cast<Impl*>(user); }
  static const carrel_component_host kHost;

  carrel_task_limits task_limits() const {
    const Module& module = prepared.module();
    return {.memory = limits.memory,
            .resources = kMostHandles,
            .slots = module.concurrent() ? static_cast<std::uint32_t>(module.slots()) : 0,
            .keep = keep};
  }

  void wait(carrel_waiting* waiting, async::Task<void> until) {
    Wait& wait = waits.emplace_back(carrel_wait_new(waiting), async::Task<void>());
    wait.task = until_ended(&wait, std::move(until));
    wait.task.start();
  }
  // Between polls: a task cannot be destroyed by what it calls.
  void drop_ended() {
    std::erase_if(waits, [](const Wait& wait) { return wait.task.done(); });
  }
  void drop_all() {
    task.reset();
    for (Wait& wait : waits) {
      wait.task = {};
      if (wait.handle != nullptr) carrel_wait_free(wait.handle);
    }
    waits.clear();
  }

  HostStatus make_call(std::uint32_t function, const std::uint64_t* operands,
                       std::int32_t* result) noexcept {
    const Preview1& rows = prepared.preview1();
    if (function >= rows.size()) return HostStatus::trap;
    const HostFunction& row = *rows[function];
    try {
      return row.function(self, operands, result);
    } catch (const std::exception& cause) {
      self.abort(fmt::format("{} failed: {}", row.name, cause.what()));
    } catch (...) {
      self.abort(fmt::format("{} failed", row.name));
    }
    return HostStatus::trap;
  }

  static carrel_host_status on_call(void* user, std::uint32_t function,
                                    const std::uint64_t* operands, std::uint8_t* memory,
                                    std::size_t size, carrel_waiting* waiting,
                                    std::int32_t* result) {
    Impl& impl = of(user);
    impl.self.memory_ = GuestMemory(reinterpret_cast<std::byte*>(memory), size);
    impl.seen_memory = std::max<std::uint64_t>(impl.seen_memory, size);
    const HostStatus status = impl.make_call(function, operands, result);
    impl.self.memory_ = {};
    switch (status) {
      case HostStatus::done:
        return CARREL_HOST_DONE;
      case HostStatus::pending:
        impl.wait(waiting, std::exchange(impl.self.pending_, {}));
        return CARREL_HOST_PENDING;
      case HostStatus::trap:
        return CARREL_HOST_TRAP;
    }
    return CARREL_HOST_TRAP;
  }

  static void on_sleep(void* user, std::uint64_t nanoseconds, carrel_waiting* waiting) {
    Impl& impl = of(user);
    constexpr std::uint64_t kLongest = std::chrono::nanoseconds(std::chrono::hours(24)).count();
    impl.wait(waiting, impl.shard.sleep_for(Nanos(std::min(nanoseconds, kLongest))));
  }

  static void on_forget(void* user, carrel_wait* handle) {
    Impl& impl = of(user);
    const auto wait = std::ranges::find(impl.waits, handle, &Wait::handle);
    if (wait == impl.waits.end()) return;
    impl.waits.erase(wait);
    carrel_wait_free(handle);
  }

  static std::int32_t on_tick(void* user) {
    Impl& impl = of(user);
    if (impl.slices.over()) {
      impl.stopped = End::cpu_limit;
    } else if (std::chrono::steady_clock::now() >= impl.limits.deadline) {
      impl.stopped = End::deadline;
    }
    return impl.stopped == End::returned ? 0 : 1;
  }

  static void on_wake(void* user) {
    Impl& impl = of(user);
    impl.shard.submit([signal = std::weak_ptr(impl.signal)] {
      if (const auto alive = signal.lock()) alive->event.signal();
    });
  }

  static void on_head(void* user, std::uint16_t status, const carrel_text* texts,
                      std::size_t count) {
    if (of(user).exchange != nullptr) of(user).exchange->head(status, from_c(texts, count));
  }
  static void on_trailers(void* user, const carrel_text* texts, std::size_t count) {
    if (of(user).exchange != nullptr) of(user).exchange->trailers(from_c(texts, count));
  }
  static std::size_t on_request_trailers(void* user, const carrel_text** texts) {
    Impl& impl = of(user);
    if (impl.exchange != nullptr) impl.request_trailers = impl.exchange->request_trailers();
    impl.request_trailer_texts = to_c(impl.request_trailers);
    *texts = impl.request_trailer_texts.data();
    return impl.request_trailer_texts.size();
  }

  carrel_poll poll() {
    drop_ended();
    return carrel_task_poll(task.get());
  }

  // Until the task may go on, or has no time left.
  async::Task<void> rest(carrel_poll status) {
    if (status == CARREL_POLL_PENDING) {
      if (limits.deadline == Instant::max()) {
        co_await until_signalled(signal);
      } else {
        auto timer = shard.sleep_until(limits.deadline);
        co_await async::first_of(until_signalled(signal), std::move(timer));
        if (std::chrono::steady_clock::now() >= limits.deadline) stopped = End::deadline;
      }
    }
    if (stopped == End::returned) co_await shard.run_queue().turn(account);
  }

  void collect(Outcome& outcome) {
    carrel_task_result result{};
    carrel_task_result_get(task.get(), &result);
    outcome.memory_peak = result.memory_peak;
    outcome.trap = take_text(result.text);
    outcome.frames = frames_of(take_text(result.frames));
    outcome.exit_code = result.code;
    outcome.end = stopped != End::returned ? stopped : end_of(result.end);
    if (stopped != End::returned) outcome.trap.clear();
  }
};

const carrel_component_host ComponentInstance::Impl::kHost = {
    .call = on_call,
    .sleep = on_sleep,
    .forget = on_forget,
    .tick = on_tick,
    .wake = on_wake,
    .reply_head = on_head,
    .reply_trailers = on_trailers,
    .request_trailers = on_request_trailers};

ComponentInstance::ComponentInstance(async::Shard& shard, async::RunAccount& account,
                                     const Prepared& prepared, void* state,
                                     const CallLimits& limits)
    : Call(state),
      impl_(new Impl{.self = *this,
                     .shard = shard,
                     .account = account,
                     .prepared = prepared,
                     .limits = limits,
                     .slices = Slices(shard, account, prepared.engine().ticker(), limits)}) {}

ComponentInstance::~ComponentInstance() {
  if (!impl_->ended) impl_->slices.tell_rest(impl_->seen_memory);
  impl_->drop_all();
}

KeptInstance::~KeptInstance() { carrel_instance_free(raw_); }
carrel_instance* KeptInstance::release() { return std::exchange(raw_, nullptr); }

std::unique_ptr<KeptInstance> ComponentInstance::take_kept() { return std::move(impl_->kept); }

void ComponentInstance::on_leave(void (*hook)(void* state, Instance::Leave why) noexcept) {
  impl_->leave_hook = hook;
}

async::Task<Outcome> ComponentInstance::handle(ComponentRequest request) {
  const std::vector<carrel_text> fields = to_c(request.fields);
  const carrel_http_request raw{.method = to_c(request.method),
                                .scheme = to_c(request.scheme),
                                .authority = to_c(request.authority),
                                .target = to_c(request.target),
                                .fields = fields.data(),
                                .field_count = fields.size(),
                                .has_body = request.has_body};
  impl_->exchange = request.exchange;
  impl_->keep = request.keep;
  carrel_instance* kept = nullptr;
  if (request.kept != nullptr) {
    impl_->turns = request.kept->turns();
    kept = request.kept->release();
  }
  const carrel_task_limits limits = impl_->task_limits();
  carrel_buffer error{};
  impl_->task.reset(carrel_http_start(impl_->prepared.component(), &Impl::kHost, impl_.get(),
                                      &limits, &raw, kept, &error));
  if (!impl_->task) co_return Outcome{.end = End::bad_request, .trap = take_text(error)};
  co_return co_await drive();
}

async::Task<Outcome> ComponentInstance::run() {
  const carrel_task_limits limits = impl_->task_limits();
  carrel_buffer error{};
  impl_->task.reset(carrel_command_start(impl_->prepared.component(), &Impl::kHost, impl_.get(),
                                         &limits, &error));
  if (!impl_->task) co_return Outcome{.end = End::refused, .trap = take_text(error)};
  co_return co_await drive();
}

async::Task<Outcome> ComponentInstance::drive() {
  Impl& impl = *impl_;
  Outcome outcome;
  // Where guests wait for the shard, a new one takes its tenant's place among them.
  if (async::RunQueue& queue = impl.shard.run_queue(); queue.empty()) {
    queue.run_at_once(impl.account);
  } else {
    co_await queue.turn(impl.account);
  }
  impl.slices.begin();
  carrel_poll status = impl.poll();
  while (status != CARREL_POLL_ENDED) {
    if (impl.slices.end(impl.seen_memory) && impl.stopped == End::returned)
      impl.stopped = End::cpu_limit;
    if (impl.leave_hook != nullptr) {
      impl.leave_hook(state(), status == CARREL_POLL_PENDING ? Instance::Leave::waits
                                                             : Instance::Leave::tick_over);
    }
    if (impl.stopped == End::returned) co_await impl.rest(status);
    impl.slices.begin();
    if (impl.stopped != End::returned) break;
    status = impl.poll();
  }
  impl.collect(outcome);
  if (outcome.end == End::returned && !exit_code_) {
    if (carrel_instance* kept = carrel_task_keep(impl.task.get()); kept != nullptr)
      impl.kept = std::make_unique<KeptInstance>(kept, impl.turns + 1);
  }
  impl.drop_all();  // unwinds a guest that is still in progress
  if (exit_code_ && impl.stopped == End::returned) {
    outcome.end = End::exited;
    outcome.exit_code = *exit_code_;
  } else if (outcome.end == End::trapped && !abort_reason_.empty()) {
    outcome.end = End::aborted;
    outcome.trap = std::move(abort_reason_);
  }
  impl.slices.end(outcome.memory_peak);
  impl.ended = true;
  outcome.cpu = impl.slices.used();
  co_return outcome;
}

}  // namespace carrel::wasm
