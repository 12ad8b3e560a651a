#include "patterns/function/host_table.h"

#include <array>

#include "base/share.h"

namespace carrel::function {
namespace {

constexpr std::size_t kLongestHost = 253;
constexpr std::string_view kVersionKey = "carrel-version-key";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

const Site* Shares::of(const net::Request& request, std::uint64_t id) const {
  if (all.size() == 1) return all.front().site.get();
  const std::string_view key = request.header(kVersionKey);
  unsigned point = key.empty() ? place_among_hundred(id) : place_among_hundred(key);
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
  const auto* const found = names_.find(wanted);
  return found == nullptr ? nullptr : found->get();
}

}  // namespace carrel::function
