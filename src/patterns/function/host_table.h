// The host table: which sites answer to which host name, for thousands of apps.
//
// It is immutable to its readers. A change makes another table that shares all but what changed, so
// that going live costs the same however many apps there are.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/http.h"

namespace carrel::function {

struct Site;

// The versions of an app that answer to a name, and how much of its requests each gets.
struct Shares {
  struct Share {
    std::shared_ptr<const Site> site;
    unsigned percent = 100;
  };
  std::vector<Share> all;  // one at least; 100 percent in sum

  // Which one answers. Requests with the same `carrel-version-key` go to the same version as long
  // as the shares stay; others by their number.
  const Site* of(const net::Request& request, std::uint64_t id) const;
};

// Value type, cheap to copy. Names are in lower case, without port.
class HostTable {
 public:
  // Null: nobody answers to it. `host` in any case.
  const Shares* find(std::string_view host) const;

  void set(std::string_view host, std::shared_ptr<const Shares> shares);
  void remove(std::string_view host);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  using Bucket =
      std::unordered_map<std::string, std::shared_ptr<const Shares>, Hash, std::equal_to<>>;
  static constexpr std::size_t kBuckets = 256;
  static std::size_t bucket_of(std::string_view host) { return Hash()(host) % kBuckets; }

  std::array<std::shared_ptr<const Bucket>, kBuckets> buckets_;  // null: empty
};

}  // namespace carrel::function
