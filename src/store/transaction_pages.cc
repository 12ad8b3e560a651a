// A turn's listings: names of its snapshot and its own.
#include <algorithm>

#include "store/transaction_impl.h"

namespace carrel::store {
namespace {

std::string base_of(std::string_view folder) {
  return folder.empty() ? std::string() : std::string(folder) + '/';
}

Peek<FolderPage> folder_page(MergedWalk& walk, const std::string& folder,
                             const std::optional<FolderEntry>& after, std::size_t max) {
  using State = Cursor::State;
  const std::string base = base_of(folder);
  std::string from = base;
  if (after) from += after->name + (after->folder ? '0' : '\0');
  FolderPage page;
  State state = walk.seek(from);
  while (state == State::valid && walk.name().starts_with(base)) {
    if (page.entries.size() == max) return Result<FolderPage>(std::move(page));
    const std::string_view rest = std::string_view(walk.name()).substr(base.size());
    const auto slash = rest.find('/');
    FolderEntry entry{.name = std::string(rest.substr(0, slash)),
                      .folder = slash != std::string_view::npos};
    state = entry.folder ? walk.seek(base + entry.name + '0') : walk.next();
    page.entries.push_back(std::move(entry));
  }
  if (state == State::not_in_memory) return {};
  if (state == State::failed) return Result<FolderPage>(std::unexpected(walk.error()));
  page.end = true;
  return Result<FolderPage>(std::move(page));
}

Peek<NamePage> name_page(MergedWalk& walk, const std::string& prefix, const std::string& after,
                         std::size_t max) {
  using State = Cursor::State;
  NamePage page;
  State state = walk.seek(after < prefix || after.empty() ? prefix : after + '\0');
  for (; state == State::valid && walk.name().starts_with(prefix); state = walk.next()) {
    if (page.entries.size() == max) return Result<NamePage>(std::move(page));
    page.entries.push_back({.name = walk.name(), .size = walk.size(), .expires = walk.expires()});
  }
  if (state == State::not_in_memory) return {};
  if (state == State::failed) return Result<NamePage>(std::unexpected(walk.error()));
  page.end = true;
  return Result<NamePage>(std::move(page));
}

std::string question_of(const Place& place, std::string_view of, std::string_view after,
                        std::size_t max) {
  return encode(Key{std::to_string(max), place.kind, place.store, of}) + '\0' + std::string(after);
}
std::string text_of(const std::optional<FolderEntry>& after) {
  return after ? (after->folder ? "/" : ".") + after->name : "";
}

}  // namespace

std::vector<OwnName> Transaction::Impl::own_names(const Place& place) const {
  std::vector<OwnName> names;
  const std::string prefix = prefix_of(tenant.str(), place.kind, place.store);
  for (auto at = own.lower_bound(prefix); at != own.end() && at->first.starts_with(prefix); ++at) {
    const Own& mine = at->second;
    names.push_back({mine.name, mine.there, mine.record.bytes.size(), mine.record.expires});
  }
  return names;
}

MergedWalk Transaction::Impl::walk(const Place& place, Reach reach) const {
  return {snapshot->view, prefix_of(tenant.str(), place.kind, place.store), own_names(place), now,
          reach};
}

Peek<FolderPage> Transaction::list(const Place& place, std::string_view folder,
                                   const std::optional<FolderEntry>& after, std::size_t max) {
  if (auto begun = impl_->begin(); !begun)
    return Result<FolderPage>(std::unexpected(begun.error()));
  const std::string inside = std::string(folder) + '/';
  impl_->track(folders_above(impl_->key_of(place, folder.empty() ? "" : inside)).back(), place);
  if (impl_->fetched_folder.page &&
      impl_->fetched_folder.question == question_of(place, folder, text_of(after), max)) {
    return std::exchange(impl_->fetched_folder.page, std::nullopt);
  }
  auto walk = impl_->walk(place, Reach::memory);
  auto page = folder_page(walk, std::string(folder), after, max);
  if (page && !*page) impl_->failure = page->error();
  return page;
}

async::Task<void> Transaction::fetch_list(Place place, std::string folder,
                                          std::optional<FolderEntry> after, std::size_t max) {
  if (!impl_->begin()) co_return;
  const auto walk = std::make_shared<MergedWalk>(impl_->walk(place, Reach::disk));
  const auto page = std::make_shared<Peek<FolderPage>>();
  ++impl_->store.disk_reads;
  co_await impl_->store.io->run(impl_->shard.shard(), [walk, folder, after, max, page] {
    *page = folder_page(*walk, folder, after, max);
  });
  impl_->fetched_folder = {question_of(place, folder, text_of(after), max), std::move(*page)};
}

Peek<bool> Transaction::has_below(const Place& place, std::string_view folder) {
  auto page = list(place, folder, std::nullopt, 1);
  if (!page) return {};
  if (!*page) return Result<bool>(std::unexpected(page->error()));
  return Result<bool>(!(*page)->entries.empty());
}

Peek<NamePage> Transaction::scan(const Place& place, std::string_view prefix,
                                 std::string_view after, std::size_t max) {
  if (auto begun = impl_->begin(); !begun) return Result<NamePage>(std::unexpected(begun.error()));
  impl_->track(hash_of_store(impl_->key_of(place, {})), place);
  if (impl_->fetched_names.page &&
      impl_->fetched_names.question == question_of(place, prefix, after, max)) {
    return std::exchange(impl_->fetched_names.page, std::nullopt);
  }
  auto walk = impl_->walk(place, Reach::memory);
  auto page = name_page(walk, std::string(prefix), std::string(after), max);
  if (page && !*page) impl_->failure = page->error();
  return page;
}

async::Task<void> Transaction::fetch_scan(Place place, std::string prefix, std::string after,
                                          std::size_t max) {
  if (!impl_->begin()) co_return;
  const auto walk = std::make_shared<MergedWalk>(impl_->walk(place, Reach::disk));
  const auto page = std::make_shared<Peek<NamePage>>();
  ++impl_->store.disk_reads;
  co_await impl_->store.io->run(impl_->shard.shard(), [walk, prefix, after, max, page] {
    *page = name_page(*walk, prefix, after, max);
  });
  impl_->fetched_names = {question_of(place, prefix, after, max), std::move(*page)};
}

async::Task<Result<NamePage>> Transaction::read_names(Place place, std::string prefix,
                                                      std::string after, std::size_t max) {
  for (;;) {
    if (auto page = scan(place, prefix, after, max)) co_return std::move(*page);
    co_await fetch_scan(place, prefix, after, max);
  }
}

}  // namespace carrel::store
