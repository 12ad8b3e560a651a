#include "capability/tmp/inode.h"

namespace carrel::capability::tmp {

Inode* Names::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second.inode;
}

void Names::add(std::string_view name, Inode& inode) {
  const auto [place, added] = by_name_.emplace(name, Entry{&inode, next_order_});
  if (added) by_order_.emplace(next_order_++, place);
}

void Names::remove(std::string_view name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return;
  by_order_.erase(found->second.order);
  by_name_.erase(found);
}

std::vector<wasi::DirEntry> Names::list(std::uint64_t cookie, std::size_t max) const {
  std::vector<wasi::DirEntry> entries;
  for (auto at = by_order_.lower_bound(cookie); at != by_order_.end() && entries.size() < max; ++at) {
    const auto& [name, entry] = *at->second;
    entries.push_back({.next = at->first + 1, .inode = entry.inode->id, .type = entry.inode->type(), .name = name});
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
  return {.device = 1, .inode = id, .type = type(), .links = links, .size = size,
          .accessed = accessed, .modified = modified, .changed = changed};
}

}  // namespace carrel::capability::tmp
