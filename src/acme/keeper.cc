#include "acme/keeper.h"

#include <algorithm>
#include <random>
#include <set>

namespace carrel::acme {
namespace {

using async::Task;

constexpr std::chrono::seconds kLook{1};

double chance() {
  static thread_local std::minstd_rand engine{std::random_device()()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

}  // namespace

// Names come, and go; what has a certificate is due when that is to be renewed.
void Keeper::look() {
  const auto wanted = wanted_();
  const std::set<std::string> all(wanted.begin(), wanted.end());
  std::erase_if(names_, [&](const auto& each) {
    const bool goes = !all.contains(each.first);
    if (goes) report_.given_up(each.first);
    return goes;
  });
  for (const std::string& host : all) {
    if (names_.contains(host)) continue;
    const auto lifetime = folder_.lifetime(host);
    names_[host].due = lifetime ? renewal_of(*lifetime, chance()) : clock_.wall();
  }
}

std::map<std::string, Keeper::Name>::iterator Keeper::first_due() {
  const auto first =
      std::ranges::min_element(names_, {}, [](const auto& each) { return each.second.due; });
  return first != names_.end() && first->second.due <= clock_.wall() ? first : names_.end();
}

Task<void> Keeper::order(std::string host) {
  auto key = Key::make();
  auto chain = key ? co_await conversation_.order(host, *key)
                   : Result<std::string>(std::unexpected(key.error()));
  const auto kept = chain ? folder_.keep(host, *chain, *key, clock_.wall())
                          : Result<Lifetime>(std::unexpected(chain.error()));
  const auto name = names_.find(host);
  if (name == names_.end()) co_return;
  if (kept) {
    name->second = {.due = renewal_of(*kept, chance())};
    report_.issued(host, kept->end);
    co_return;
  }
  const auto pause = pause_after(++name->second.failures, conversation_.retry_after(), chance());
  name->second.due = clock_.wall() + pause;
  report_.failed(host, kept.error(), pause);
}

Task<void> Keeper::run() {
  for (;;) {
    look();
    if (const auto due = first_due(); due != names_.end()) {
      const std::string host = due->first;
      co_await order(host);
    } else {
      co_await shard_.sleep_for(kLook);
    }
  }
}

}  // namespace carrel::acme
