#include "capability/state/listing.h"

#include <algorithm>
#include <functional>

#include "capability/state/names.h"
#include "capability/state/store_errno.h"

namespace carrel::capability::state {
namespace {

using wasi::DirEntry;
using wasi::Errno;
using wasi::fail;
using wasi::FileType;
using wasi::Io;

constexpr std::size_t kMostRemembered = 1024;
constexpr std::size_t kMostAtOnce = 1000;

}  // namespace

Io<wasi::FileStat> StoreNames::stat(wasi::IoContext&) {
  return wasi::FileStat{.type = FileType::folder};
}

Io<std::vector<DirEntry>> StoreNames::list(wasi::IoContext&, std::uint64_t cookie,
                                           std::size_t max) {
  std::vector<DirEntry> entries;
  for (std::uint64_t i = cookie; i < grants_.size() && entries.size() < max; ++i) {
    entries.push_back({.next = i + 1,
                       .inode = std::hash<std::string>()(grants_[i].store),
                       .type = FileType::folder,
                       .name = encode_segment(grants_[i].store)});
  }
  return entries;
}

Io<wasi::FileStat> FolderListing::stat(wasi::IoContext&) {
  return wasi::FileStat{.inode = std::hash<std::string>()(place_.store + '/' + folder_),
                        .type = FileType::folder};
}

Io<store::FolderPage> FolderListing::page(wasi::IoContext& io, const After& after,
                                          std::size_t max) {
  auto found = transaction_.list(place_, folder_, after, max);
  if (!found) {
    io.wait_for(transaction_.fetch_list(place_, folder_, after, max));
    return fail(Errno::again);
  }
  if (!*found) return fail(errno_of(found->error()));
  return std::move(**found);
}

void FolderListing::remember(std::uint64_t position, const store::FolderEntry& last) {
  last_before_.emplace(position, last);
  if (last_before_.size() <= kMostRemembered) return;
  for (auto at = last_before_.begin();
       at != last_before_.end() && std::next(at) != last_before_.end();) {
    at = std::next(last_before_.erase(at));  // the newest stays
  }
}

Io<std::vector<DirEntry>> FolderListing::list(wasi::IoContext& io, std::uint64_t cookie,
                                              std::size_t max) {
  max = std::min(max, kMostAtOnce);
  std::uint64_t at = 0;
  After after;
  if (const auto next = last_before_.upper_bound(cookie); next != last_before_.begin()) {
    at = std::prev(next)->first;
    after = std::prev(next)->second;
  }
  while (at < cookie) {  // each step is remembered: one that waits goes on from there
    const auto skipped = page(io, after, std::min<std::uint64_t>(cookie - at, kMostAtOnce));
    if (!skipped) return fail(skipped.error());
    if (skipped->entries.empty()) return std::vector<DirEntry>();
    at += skipped->entries.size();
    after = skipped->entries.back();
    remember(at, *after);
  }
  const auto found = page(io, after, max);
  if (!found) return fail(found.error());
  std::vector<DirEntry> entries;
  entries.reserve(found->entries.size());
  for (const store::FolderEntry& entry : found->entries) {
    entries.push_back({.next = ++at,
                       .inode = std::hash<std::string>()(place_.store + '/' + entry.name),
                       .type = entry.folder ? FileType::folder : FileType::regular,
                       .name = encode_segment(entry.name)});
  }
  if (!found->entries.empty()) remember(at, found->entries.back());
  return entries;
}

}  // namespace carrel::capability::state
