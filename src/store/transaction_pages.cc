// A turn's listings: names of its snapshot and its own.
#include <algorithm>

#include "store/transaction_impl.h"

namespace carrel::store {
namespace {

std::string base_of(std::string_view folder) {
  return folder.empty() ? std::string() : std::string(folder) + '/';
}

PageRange folder_range(std::string_view folder, const std::optional<FolderEntry>& after,
                       std::size_t max) {
  PageRange range{.shows = PageRange::Shows::one_level, .base = base_of(folder), .max = max};
  range.from = range.base;
  if (after) range.from += after->name + (after->folder ? '0' : '\0');
  return range;
}

PageRange name_range(std::string_view prefix, std::string_view after, std::size_t max) {
  PageRange range{.base = std::string(prefix), .max = max};
  range.from = after < prefix || after.empty() ? range.base : std::string(after) + '\0';
  return range;
}

Peek<FolderPage> folder_page(MergedWalk& walk, const PageRange& range) {
  using State = Cursor::State;
  const std::string& base = range.base;
  FolderPage page;
  State state = walk.seek(range.from);
  while (state == State::valid && walk.name().starts_with(base)) {
    if (page.entries.size() == range.max) return Result<FolderPage>(std::move(page));
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

Peek<NamePage> name_page(MergedWalk& walk, const PageRange& range) {
  using State = Cursor::State;
  NamePage page;
  State state = walk.seek(range.from);
  for (; state == State::valid && walk.name().starts_with(range.base); state = walk.next()) {
    if (page.entries.size() == range.max) return Result<NamePage>(std::move(page));
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

MergedWalk Transaction::Impl::walk(const Place& place, const PageRange& range, Reach reach) const {
  std::string prefix = prefix_of(owner_of(place), place.kind, place.store);
  auto names = own_names(own, prefix, range, now);
  return {snapshot->view, std::move(prefix), std::move(names), now, reach};
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
  if (!impl_->looks_in_memory()) return {};
  const PageRange range = folder_range(folder, after, max);
  auto walk = impl_->walk(place, range, Reach::memory);
  auto page = folder_page(walk, range);
  if (page && !*page) impl_->failure = page->error();
  return page;
}

async::Task<void> Transaction::fetch_list(Place place, std::string folder,
                                          std::optional<FolderEntry> after, std::size_t max) {
  if (!impl_->begin()) co_return;
  const PageRange range = folder_range(folder, after, max);
  const auto walk = std::make_shared<MergedWalk>(impl_->walk(place, range, Reach::disk));
  const auto page = std::make_shared<Peek<FolderPage>>();
  ++impl_->store.disk_reads;
  co_await impl_->store.io->run(impl_->shard.shard(),
                                [walk, range, page] { *page = folder_page(*walk, range); });
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
  if (!impl_->looks_in_memory()) return {};
  const PageRange range = name_range(prefix, after, max);
  auto walk = impl_->walk(place, range, Reach::memory);
  auto page = name_page(walk, range);
  if (page && !*page) impl_->failure = page->error();
  return page;
}

async::Task<void> Transaction::fetch_scan(Place place, std::string prefix, std::string after,
                                          std::size_t max) {
  if (!impl_->begin()) co_return;
  const PageRange range = name_range(prefix, after, max);
  const auto walk = std::make_shared<MergedWalk>(impl_->walk(place, range, Reach::disk));
  const auto page = std::make_shared<Peek<NamePage>>();
  ++impl_->store.disk_reads;
  co_await impl_->store.io->run(impl_->shard.shard(),
                                [walk, range, page] { *page = name_page(*walk, range); });
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
