// poll_oneoff: waits for the first of several clocks and descriptors. The thread never waits, the
// turn does.
#include <algorithm>
#include <vector>

#include "async/any_of.h"
#include "base/result.h"
#include "wasi/calls.h"
#include "wasi/guest_time.h"

namespace carrel::wasi {
namespace {

constexpr u32 kMaxSubscriptions = 4096;
constexpr Nanos kLongestWait = std::chrono::hours(24 * 365);

enum class Kind : u8 { clock, read, write };

struct Subscription {
  u64 userdata;
  Kind kind;
  Fd fd{};
  u32 clock = 0;
  u64 timeout = 0;
  bool absolute = false;
};

template <typename T>
T field(std::span<const std::byte> bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

Io<Subscription> parse(Snapshot snapshot, std::span<const std::byte> bytes) {
  const u8 kind = field<u8>(bytes, 8);
  if (kind > static_cast<u8>(Kind::write)) return fail(Errno::inval);
  Subscription result{.userdata = field<u64>(bytes, 0), .kind = Kind(kind)};
  if (result.kind != Kind::clock) {
    result.fd = Fd(field<u32>(bytes, 16));
    return result;
  }
  const std::size_t at =
      snapshot == Snapshot::preview1 ? 16 : 24;  // snapshot 0 has an identifier first
  result.clock = field<u32>(bytes, at);
  result.timeout = field<u64>(bytes, at + 8);
  const u16 flags = field<u16>(bytes, at + 24);
  if (flags > 1) return fail(Errno::inval);
  result.absolute = flags == 1;
  return result;
}

// Looks at each subscription: has its event come, or what is there to wait for?
class Poll {
 public:
  Poll(Context& c, std::span<std::byte> events) : c_(c), events_(events), now_(c.clock().now()) {
    auto& started = c.progress().started;
    if (!started) started = now_;
    started_ = *started;
  }

  u32 count() const { return count_; }

  void look(const Subscription& what) {
    switch (what.kind) {
      case Kind::clock:
        return look_at_clock(what);
      case Kind::read:
      case Kind::write:
        return look_at_file(what);
    }
  }

  // Waits for the first of all that was looked at.
  void wait() {
    if (waits_.empty() || next_) {
      waits_.push_back(c_.state().shard.sleep_for(next_.value_or(kLongestWait)));
    }
    c_.wait_for(waits_.size() == 1 ? std::move(waits_.front()) : any(std::move(waits_)));
  }

 private:
  static async::Task<void> any(std::vector<async::Task<void>> tasks) {
    auto first = async::any_of(std::move(tasks));
    co_await std::move(first);
  }

  void add(const Subscription& what, Errno error, u64 bytes = 0) {
    Layout<kEventSize> event;
    event.put(0, what.userdata).put(8, error).put(10, what.kind).put(16, bytes);
    event.copy_to(events_.subspan(std::size_t{count_} * kEventSize));
    ++count_;
  }

  void look_at_clock(const Subscription& what) {
    const auto clock = clock_of(what.clock);
    if (!clock) return add(what, clock.error());
    const Nanos left = time_left(what, *clock);
    if (left <= Nanos::zero()) return add(what, Errno::success);
    next_ = std::min(next_.value_or(kLongestWait), left);
  }

  // Until the guest's clock, which goes in steps, shows that the time has come.
  Nanos time_left(const Subscription& what, GuestClock clock) const {
    const Nanos now = exact_time(c_.state(), clock);
    if (what.timeout >= static_cast<u64>(Nanos::max().count())) return kLongestWait;
    const Nanos timeout(static_cast<std::int64_t>(what.timeout));
    if (what.absolute) return shown_time(now) >= timeout ? Nanos::zero() : until(timeout, now);
    if (timeout == Nanos::zero()) return timeout;
    const Nanos begin = now - (now_ - started_);
    return timeout >= kLongestWait ? kLongestWait : until(begin + timeout, now);
  }
  static Nanos until(Nanos when, Nanos now) {
    if (when - now >= kLongestWait) return kLongestWait;
    const Nanos step = kClockStep;
    const Nanos shown = (when + step - Nanos(1)) / step * step;
    return shown_time(now) >= shown ? Nanos::zero() : shown - now;
  }

  void look_at_file(const Subscription& what) {
    const auto found =
        c_.files().get(what.fd, what.kind == Kind::read ? right::kRead : right::kWrite);
    if (!found) return add(what, found.error());
    if ((*found)->is_folder()) return add(what, Errno::badf);
    OpenFile& file = *(*found)->file;
    const auto ready = what.kind == Kind::read ? file.readable(c_) : file.writable(c_);
    auto until = c_.take_wait();
    if (ready) return add(what, Errno::success, *ready);
    if (ready.error() != Errno::again || !until) return add(what, ready.error());
    if (first_wait_for(what)) waits_.push_back(std::move(*until));
  }

  // Each file is waited for once: a stream has one waiter.
  bool first_wait_for(const Subscription& what) {
    if (waited_.empty()) waited_.resize(c_.files().size() * 2);
    const std::size_t index =
        static_cast<std::size_t>(what.fd) * 2 + (what.kind == Kind::write ? 1 : 0);
    return !std::exchange(waited_[index], char{1});
  }

  Context& c_;
  std::span<std::byte> events_;
  Instant now_;
  Instant started_;
  u32 count_ = 0;
  std::optional<Nanos> next_;
  std::vector<char> waited_;  // by descriptor, for reading and writing
  std::vector<async::Task<void>> waits_;
};

}  // namespace

template <Snapshot snapshot>
Io<void> poll_oneoff(Context& c, GuestPtr in, GuestPtr out, u32 count, GuestPtr event_count) {
  constexpr std::size_t kSize = subscription_size(snapshot);
  CARREL_TRY(auto counted, c.output<u32>(event_count));
  if (count == 0 || count > kMaxSubscriptions) return fail(Errno::inval);
  CARREL_TRY(const auto subscriptions, c.slice(in, u64{count} * kSize));
  CARREL_TRY(auto events, c.slice(out, u64{count} * kEventSize));
  // The two may overlap: all are read before any event is written.
  std::vector<Subscription> all;
  all.reserve(count);
  for (u32 i = 0; i < count; ++i) {
    CARREL_TRY(const Subscription one, parse(snapshot, subscriptions.subspan(i * kSize, kSize)));
    all.push_back(one);
  }
  Poll poll(c, events);
  for (const Subscription& one : all) poll.look(one);
  if (poll.count() == 0) {
    poll.wait();
    return fail(Errno::again);
  }
  counted.set(poll.count());
  return {};
}
template Io<void> poll_oneoff<Snapshot::unstable>(Context&, GuestPtr, GuestPtr, u32, GuestPtr);
template Io<void> poll_oneoff<Snapshot::preview1>(Context&, GuestPtr, GuestPtr, u32, GuestPtr);

}  // namespace carrel::wasi
