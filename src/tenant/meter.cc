#include "tenant/meter.h"

#include <algorithm>
#include <chrono>

namespace carrel::tenant {
namespace {

constexpr std::uint64_t kKiBMilli = 1024ULL * 1'000'000;  // byte-nanoseconds of a KiB for 1 ms

// Without overflow for what one slice can hold: 2^40 bytes for 2^63 nanoseconds.
std::uint64_t kib_millis(std::uint64_t bytes, Nanos held) {
  const auto product = static_cast<unsigned __int128>(bytes) *
                       static_cast<std::uint64_t>(std::max(held.count(), Nanos::rep{0}));
  return static_cast<std::uint64_t>(product / kKiBMilli);
}

std::size_t mixed(std::size_t a, std::size_t b) {
  return a ^ (b + 0x9e3779b97f4a7c15ULL + (a << 6) + (a >> 2));
}

}  // namespace

Spent& Spent::operator+=(const Spent& more) {
  turns += more.turns;
  failures += more.failures;
  refused += more.refused;
  cpu += more.cpu;
  memory += more.memory;
  bytes_in += more.bytes_in;
  bytes_out += more.bytes_out;
  calls += more.calls;
  log_bytes += more.log_bytes;
  return *this;
}

void Line::ran(Nanos cpu, std::uint64_t memory, Nanos held) noexcept {
  spent_.cpu += static_cast<std::uint64_t>(cpu.count());
  spent_.memory += kib_millis(memory, held);
  charge_cpu(allowance_, cpu);
}

bool Line::may_log(std::uint64_t bytes) {
  if (!tenant::may_log(allowance_, bytes, std::chrono::steady_clock::now())) return false;
  spent_.log_bytes += bytes;
  return true;
}

Account::~Account() {
  if (line_ == nullptr) return;
  if (phase_ == Phase::under_way) ++line_->spent_.failures;
  --line_->holders_;
}

std::size_t Meter::Hash::operator()(const Spender& spender) const {
  return mixed(mixed(std::hash<TenantName>()(spender.tenant), std::hash<AppName>()(spender.app)),
               std::hash<ModuleName>()(spender.module));
}

Account Meter::open(const TenantName& tenant, const AppName& app, const ModuleName& module) {
  auto& line = lines_[{.tenant = tenant, .app = app, .module = module}];
  if (!line) {
    Allowance* const allowance = allowances_ == nullptr ? nullptr : &allowances_->of(tenant.str());
    line = std::make_unique<Line>(allowance);
  }
  return Account(*line);
}

Meter::Reading Meter::read() {
  Reading reading;
  boost::unordered::erase_if(lines_, [&](const auto& entry) {
    Line& line = *entry.second;
    const Spent spent = std::exchange(line.spent_, {});
    const bool used = spent != Spent();
    if (used) reading.emplace_back(entry.first, spent);
    return !used && line.holders_ == 0;
  });
  return reading;
}

}  // namespace carrel::tenant
