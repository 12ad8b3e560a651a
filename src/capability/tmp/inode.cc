#include "capability/tmp/inode.h"

#include <algorithm>

namespace carrel::capability::tmp {

Inode* Names::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second.inode;
}

void Names::add(std::string_view name, Inode& inode) {
  const auto [place, added] = by_name_.emplace(name, Entry{&inode, next_order_});
  if (added) by_order_.push_back({next_order_++, &*place});
}

std::vector<Names::Listed>::const_iterator Names::listed_from(std::uint64_t order) const {
  return std::ranges::lower_bound(by_order_, order, {}, &Listed::order);
}

void Names::remove(std::string_view name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return;
  by_order_[static_cast<std::size_t>(listed_from(found->second.order) - by_order_.begin())].entry =
      nullptr;
  by_name_.erase(found);
  if (by_order_.size() > 2 * by_name_.size()) {
    std::erase_if(by_order_, [](const Listed& listed) { return listed.entry == nullptr; });
  }
}

std::vector<wasi::DirEntry> Names::list(std::uint64_t cookie, std::size_t max) const {
  std::vector<wasi::DirEntry> entries;
  for (auto at = listed_from(cookie); at != by_order_.end() && entries.size() < max; ++at) {
    if (!at->entry) continue;
    const auto& [name, entry] = *at->entry;
    entries.push_back({.next = at->order + 1,
                       .inode = entry.inode->id,
                       .type = entry.inode->type(),
                       .name = name});
  }
  return entries;
}

wasi::FileType Inode::type() const {
  if (std::holds_alternative<Folder>(body)) return wasi::FileType::folder;
  return std::holds_alternative<Link>(body) ? wasi::FileType::symlink : wasi::FileType::regular;
}

wasi::FileStat Inode::stat() const {
  std::uint64_t size = 0;
  if (const auto* bytes = std::get_if<SparseBytes>(&body)) size = bytes->size();
  if (const auto* link = std::get_if<Link>(&body)) size = link->target.size();
  return {.inode = id,
          .type = type(),
          .links = links,
          .size = size,
          .accessed = accessed,
          .modified = modified,
          .changed = changed};
}

}  // namespace carrel::capability::tmp
