// The host table: which sites answer to which host name, for thousands of apps. Immutable to its
// readers, as the name table it is made of.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "base/name_table.h"
#include "net/http.h"

namespace carrel::function {

struct Site;

// The versions of an app that answer to a name, and how much of its requests each gets.
struct Shares {
  struct Share {
    std::shared_ptr<const Site> site;
    unsigned percent = 100;
  };
  boost::container::small_vector<Share, 1> all;  // one at least; 100 percent in sum

  // Which one answers. Requests with the same `carrel-version-key` go to the same version as long
  // as the shares stay; others by their number.
  const Site* of(const net::Request& request, std::uint64_t id) const;
};

// Value type, cheap to copy. Names are in lower case, without port.
class HostTable {
 public:
  // Null: nobody answers to it. `host` in any case.
  const Shares* find(std::string_view host) const;

  void set(std::string_view host, std::shared_ptr<const Shares> shares) {
    names_.set(host, std::move(shares));
  }
  void remove(std::string_view host) { names_.remove(host); }

 private:
  NameTable<Shares> names_;
};

}  // namespace carrel::function
