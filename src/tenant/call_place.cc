#include "tenant/call_place.h"

#include <optional>

namespace carrel::tenant {
namespace {

constexpr std::chrono::seconds kLongest{5};
constexpr std::chrono::milliseconds kLook{10};  // whether somebody has given a place back
constexpr std::uint64_t kMostWaiting = 100;

// Counted among those who wait, also when it is given up.
class Waiting {
 public:
  explicit Waiting(Allowance& allowance) : allowance_(allowance) { ++allowance_.waiting_calls; }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() { --allowance_.waiting_calls; }

 private:
  Allowance& allowance_;
};

}  // namespace

async::Task<Result<CallPlace>> enter_call(async::Shard* shard, Allowance* allowance) {
  std::optional<Waiting> waiting;
  const Instant end = std::chrono::steady_clock::now() + kLongest;
  for (;;) {
    const Instant now = std::chrono::steady_clock::now();
    const auto shortage = stands_against_call(allowance, now);
    if (!shortage) {
      begin_call(allowance, now);
      co_return CallPlace(allowance);
    }
    if (!waiting && allowance->waiting_calls < kMostWaiting) waiting.emplace(*allowance);
    const Nanos wait = shortage->wait == Nanos(0) ? Nanos(kLook) : shortage->wait;
    if (!waiting || wait > end - now) co_return fail(Code::too_many_requests, text_of(*shortage));
    co_await shard->sleep_for(wait);
  }
}

}  // namespace carrel::tenant
