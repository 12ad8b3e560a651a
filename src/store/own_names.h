// What a transaction has changed, by key, and which of it a page of names can need.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "store/merged_walk.h"
#include "store/transaction.h"

namespace carrel::store {

// A name that a turn has changed.
struct Own {
  Place place;
  std::string name;
  bool there = false;
  Record record;
  std::uint64_t weight = 0;
  Before before;
};
using OwnByKey = std::map<std::string, Own>;

struct PageRange {
  enum class Shows : std::uint8_t {
    names,
    one_level
  };  // one_level: folders instead of what is below
  Shows shows = Shows::names;
  std::string base;  // what its names begin with
  std::string from;  // no name before it; not before `base`
  std::size_t max = 0;
};

// The turn's own names of the store whose keys begin with `prefix` that decide a page's entries and
// whether there are more; not those behind. All pages of a listing together take every name once,
// and one more for each page.
std::vector<OwnName> own_names(const OwnByKey& own, const std::string& prefix,
                               const PageRange& range, std::uint64_t now);

}  // namespace carrel::store
