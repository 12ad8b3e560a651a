#include "patterns/function/host_table.h"

namespace carrel::function {
namespace {

constexpr std::size_t kLongestHost = 253;
constexpr std::string_view kVersionKey = "carrel-version-key";

// Spreads numbers that follow each other over all of 64 bits (SplitMix64's last step).
std::uint64_t spread(std::uint64_t number) {
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9ULL;
  number = (number ^ (number >> 27)) * 0x94d049bb133111ebULL;
  return number ^ (number >> 31);
}

// The same in every process (FNV-1a): a client keeps its version over a restart.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3ULL;
  return hash;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

const Site* Shares::of(const net::Request& request, std::uint64_t id) const {
  if (all.size() == 1) return all.front().site.get();
  const std::string_view key = request.header(kVersionKey);
  auto point = static_cast<unsigned>(spread(key.empty() ? id : hash_of(key)) % 100);
  for (const Share& share : all) {
    if (point < share.percent) return share.site.get();
    point -= share.percent;
  }
  return all.back().site.get();
}

const Shares* HostTable::find(std::string_view host) const {
  std::array<char, kLongestHost> name;
  if (host.size() > name.size()) return nullptr;
  for (std::size_t i = 0; i < host.size(); ++i) name[i] = lower(host[i]);
  const std::string_view wanted(name.data(), host.size());
  const auto& bucket = buckets_[bucket_of(wanted)];
  if (bucket == nullptr) return nullptr;
  const auto found = bucket->find(wanted);
  return found == bucket->end() ? nullptr : found->second.get();
}

void HostTable::set(std::string_view host, std::shared_ptr<const Shares> shares) {
  auto& bucket = buckets_[bucket_of(host)];
  auto changed = bucket == nullptr ? std::make_shared<Bucket>() : std::make_shared<Bucket>(*bucket);
  changed->insert_or_assign(std::string(host), std::move(shares));
  bucket = std::move(changed);
}

void HostTable::remove(std::string_view host) {
  auto& bucket = buckets_[bucket_of(host)];
  if (bucket == nullptr || !bucket->contains(host)) return;
  auto changed = std::make_shared<Bucket>(*bucket);
  changed->erase(std::string(host));
  bucket = std::move(changed);
}

}  // namespace carrel::function
