#include "store/own_names.h"

#include <iterator>

namespace carrel::store {

std::vector<OwnName> own_names(const OwnByKey& own, const std::string& prefix,
                               const PageRange& range, std::uint64_t now) {
  std::vector<OwnName> names;
  const std::string base = prefix + range.base;
  std::size_t shown = 0;
  auto at = own.lower_bound(prefix + range.from);
  while (at != own.end() && at->first.starts_with(base) && shown <= range.max) {
    const Own& mine = at->second;
    const std::uint64_t expires = mine.record.expires;
    names.push_back({mine.name, mine.there, mine.record.bytes.size(), expires});
    if (!mine.there || (expires != 0 && expires <= now)) {  // it hides a stored one
      ++at;
      continue;
    }
    ++shown;
    const auto slash = range.shows == PageRange::Shows::one_level
                           ? mine.name.find('/', range.base.size())
                           : std::string::npos;
    at = slash == std::string::npos
             ? std::next(at)
             : own.lower_bound(prefix + mine.name.substr(0, slash) + '0');  // '0' follows '/'
  }
  return names;
}

}  // namespace carrel::store
