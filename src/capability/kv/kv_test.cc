#include "capability/kv/kv.h"

#include <gtest/gtest.h>

#include "capability/counter/counter.h"
#include "capability/state/test_turn.h"

namespace carrel::capability {
namespace {

using wasi::Errno;
using wasi::OpenHow;

class StateFiles : public state::StoredTurn {
 protected:
  void SetUp() override {
    setup.grants.kv = {{.store = "carts", .read = true, .write = true},
                       {.store = "drop", .write = true},
                       {.store = "prices", .read = true}};
    setup.grants.counters = {{.store = "stock", .read = true, .write = true}};
    open();
  }
  void mount_all() override {
    kv = kv::mount(turn);
    counters = counter::mount(turn);
  }
  void unmount_all() override {
    kv.reset();
    counters.reset();
  }

  Errno write(wasi::Node& node, std::string_view path, std::string_view text,
              OpenHow how = {.create = true, .truncate = true, .write = true}) {
    auto file = ask([&] { return node.open(io, path, how); });
    if (!file) return file.error();
    const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
    const auto done = ask([&] { return (*file)->write(io, std::span(&bytes, 1)); });
    if (!done) return done.error();
    EXPECT_EQ(*done, text.size());
    return Errno::success;
  }
  std::string read(wasi::Node& node, std::string_view path) {
    auto file = ask([&] { return node.open(io, path, {.read = true}); });
    if (!file) return "errno " + std::to_string(static_cast<int>(file.error()));
    std::string text(1000, '\0');
    const std::span<std::byte> bytes = std::as_writable_bytes(std::span(text));
    const auto done = ask([&] { return (*file)->read(io, std::span(&bytes, 1)); });
    if (!done) return "errno " + std::to_string(static_cast<int>(done.error()));
    return text.substr(0, *done);
  }
  std::vector<std::string> list(std::string_view path, std::size_t page = 1000) {
    auto file = ask([&] { return kv->open(io, path, {.folder = true, .read = true}); });
    if (!file) return {"errno " + std::to_string(static_cast<int>(file.error()))};
    std::vector<std::string> names;
    std::uint64_t cookie = 0;
    while (true) {
      const auto entries = ask([&] { return (*file)->list(io, cookie, page); });
      if (!entries || entries->empty()) return names;
      for (const auto& entry : *entries) {
        names.push_back(entry.name + (entry.type == wasi::FileType::folder ? "/" : ""));
        cookie = entry.next;
      }
    }
  }

  std::shared_ptr<wasi::Node> kv, counters;
};

TEST_F(StateFiles, WhatIsWrittenIsReadInTheTurnAndAfterIt) {
  EXPECT_EQ(write(*kv, "carts/a/b", "seven"), Errno::success);
  EXPECT_EQ(read(*kv, "carts/a/b"), "seven");
  ASSERT_TRUE(commit());
  EXPECT_EQ(read(*kv, "carts/a/b"), "seven");
  EXPECT_EQ(list("carts"), (std::vector<std::string>{"a/"}));
  EXPECT_EQ(list("carts/a"), (std::vector<std::string>{"b"}));
}

TEST_F(StateFiles, WhatIsNotInMemoryIsWaitedFor) {
  EXPECT_EQ(write(*kv, "carts/a", std::string(100'000, 'x')), Errno::success);
  ASSERT_TRUE(commit());
  close();
  looks = store::Reach::disk;  // as if memory held nothing
  open();
  waits = 0;
  EXPECT_EQ(read(*kv, "carts/a"), std::string(1000, 'x'));
  EXPECT_GT(waits, 0) << "the disk was read on the shard";
  EXPECT_EQ(list("carts"), (std::vector<std::string>{"a"}));
  waits = 0;
  EXPECT_EQ(read(*kv, "carts/a"), std::string(1000, 'x'));
  EXPECT_EQ(waits, 0) << "what the turn has read is in its memory";
}

TEST_F(StateFiles, OnlyWhatIsGrantedExists) {
  EXPECT_EQ(list(""), (std::vector<std::string>{"carts/", "drop/", "prices/"}));
  EXPECT_EQ(read(*kv, "others/a"), errno_text(Errno::noent));
  EXPECT_EQ(write(*kv, "others/a", "x"), Errno::acces);
  EXPECT_EQ(write(*kv, "prices/a", "x"), Errno::acces);
  EXPECT_EQ(read(*kv, "prices/a"), errno_text(Errno::noent));
  EXPECT_EQ(write(*kv, "drop/a", "x"), Errno::success);
  EXPECT_EQ(read(*kv, "drop/a"), errno_text(Errno::acces));
  EXPECT_EQ(list("drop"), (std::vector<std::string>{errno_text(Errno::acces)}));
  EXPECT_EQ(kv->unlink(io, "prices/a").error(), Errno::acces);
  EXPECT_EQ(kv->make_folder(io, "prices/a").error(), Errno::acces);
}

TEST_F(StateFiles, ANameMayBeAValueAndAFolder) {
  EXPECT_EQ(write(*kv, "carts/a", "value"), Errno::success);
  EXPECT_EQ(write(*kv, "carts/a/b", "below"), Errno::success);
  EXPECT_EQ(list("carts"), (std::vector<std::string>{"a", "a/"}));
  EXPECT_EQ(list("carts/a"), (std::vector<std::string>{"b"}));
  EXPECT_EQ(kv->stat(io, "carts/a", true)->size, 5u);
  ASSERT_TRUE(kv->unlink(io, "carts/a"));
  EXPECT_EQ(kv->stat(io, "carts/a", true)->type, wasi::FileType::folder);
  EXPECT_EQ(kv->unlink(io, "carts/a").error(), Errno::isdir);
  EXPECT_EQ(kv->remove_folder(io, "carts/a").error(), Errno::notempty);
}

TEST_F(StateFiles, FoldersAreMadeForTheTurn) {
  ASSERT_TRUE(kv->make_folder(io, "carts/new"));
  EXPECT_EQ(kv->make_folder(io, "carts/new").error(), Errno::exist);
  EXPECT_EQ(list("carts/new"), std::vector<std::string>());
  ASSERT_TRUE(kv->remove_folder(io, "carts/new"));
  EXPECT_EQ(kv->remove_folder(io, "carts/new").error(), Errno::noent);
}

TEST_F(StateFiles, RenamingMovesAValueAndRefusesAFolder) {
  EXPECT_EQ(write(*kv, "carts/a", "one"), Errno::success);
  EXPECT_EQ(write(*kv, "carts/f/x", "two"), Errno::success);
  ASSERT_TRUE(kv->rename(io, "carts/a", "carts/f/x"));
  EXPECT_EQ(read(*kv, "carts/f/x"), "one");
  EXPECT_EQ(read(*kv, "carts/a"), errno_text(Errno::noent));
  EXPECT_EQ(kv->rename(io, "carts/f", "carts/g").error(), Errno::notsup);
  EXPECT_EQ(kv->rename(io, "carts/none", "carts/g").error(), Errno::noent);
  EXPECT_EQ(kv->rename(io, "carts/f/x", "prices/x").error(), Errno::acces);
}

TEST_F(StateFiles, ARenameThatThereIsNoRoomForChangesNothing) {
  const store::Place place{.kind = store::Kind::value, .store = "carts"};
  EXPECT_EQ(write(*kv, "carts/a", "one"), Errno::success);
  ASSERT_TRUE(commit());
  for (int i = 1; i < 10'000; ++i) {
    ASSERT_TRUE(state->transaction.put(place, "f/" + std::to_string(i), {}));
  }
  EXPECT_EQ(ask([&] { return kv->rename(io, "carts/a", "carts/b"); }).error(), Errno::dquot);
  EXPECT_EQ(read(*kv, "carts/a"), "one");
  EXPECT_EQ(read(*kv, "carts/b"), errno_text(Errno::noent));
  ASSERT_TRUE(ask([&] { return kv->rename(io, "carts/a", "carts/f/1"); }));
  EXPECT_EQ(read(*kv, "carts/a"), errno_text(Errno::noent));
  EXPECT_EQ(read(*kv, "carts/f/1"), "one");
}

TEST_F(StateFiles, SizesAndNamesHaveBounds) {
  EXPECT_EQ(write(*kv, "carts/" + std::string(2000, 'n'), "x"), Errno::nametoolong);
  EXPECT_EQ(write(*kv, "carts/a%2Fb", "x"), Errno::inval);
  EXPECT_EQ(write(*kv, "carts/%00", "nul"), Errno::success);
  EXPECT_EQ(read(*kv, "carts/%00"), "nul");
  auto file = kv->open(io, "carts/big", {.create = true, .read = true, .write = true});
  ASSERT_TRUE(file);
  EXPECT_TRUE((*file)->set_size(io, store::kMaxValue));
  EXPECT_EQ((*file)->set_size(io, store::kMaxValue + 1).error(), Errno::fbig);
  const std::byte one{1};
  const std::span<const std::byte> bytes(&one, 1);
  EXPECT_EQ((*file)->write_at(io, std::span(&bytes, 1), store::kMaxValue).error(), Errno::fbig);
  EXPECT_EQ((*file)->seek(io, -1, wasi::OpenFile::Whence::set).error(), Errno::inval);
  EXPECT_EQ((*file)->seek(io, INT64_MAX, wasi::OpenFile::Whence::end).error(), Errno::overflow);
}

TEST_F(StateFiles, ATurnIsRefusedMoreThanItsShare) {
  Errno error = Errno::success;
  int written = 0;
  while (error == Errno::success && written < 20'000) {
    error = write(*kv, "carts/" + std::to_string(written++), "x");
  }
  EXPECT_EQ(error, Errno::dquot);
  EXPECT_EQ(written, 10'001);
}

TEST_F(StateFiles, AModificationTimeInTheFutureIsTheExpiry) {
  const auto now = static_cast<std::uint64_t>(store::milliseconds(system_clock().wall()));
  EXPECT_EQ(write(*kv, "carts/a", "x"), Errno::success);
  const std::uint64_t later = (now + 60'000) * 1'000'000;
  ASSERT_TRUE(kv->set_times(io, "carts/a", {.modified = later}, true));
  EXPECT_EQ(kv->stat(io, "carts/a", true)->modified, later);
  EXPECT_EQ(write(*kv, "carts/a", "y", {.append = true, .write = true}), Errno::success);
  EXPECT_EQ(kv->stat(io, "carts/a", true)->modified, 0u);
  EXPECT_EQ(read(*kv, "carts/a"), "xy");
}

TEST_F(StateFiles, AnOpenFileWhoseNameIsGoneIsStale) {
  EXPECT_EQ(write(*kv, "carts/a", "x"), Errno::success);
  auto file = kv->open(io, "carts/a", {.read = true, .write = true});
  ASSERT_TRUE(file);
  ASSERT_TRUE(kv->unlink(io, "carts/a"));
  std::byte one{};
  const std::span<std::byte> bytes(&one, 1);
  EXPECT_EQ((*file)->read(io, std::span(&bytes, 1)).error(), Errno::stale);
}

TEST_F(StateFiles, LongFoldersAreListedInPagesFromAnyPlace) {
  std::vector<std::string> expected;
  for (int i = 1000; i < 4000; ++i) {
    expected.push_back(std::to_string(i));
    ASSERT_EQ(write(*kv, "carts/" + std::to_string(i), "x"), Errno::success);
  }
  ASSERT_TRUE(commit());
  EXPECT_EQ(list("carts", 7), expected);
  auto folder_file = kv->open(io, "carts", {.folder = true, .read = true});
  ASSERT_TRUE(folder_file);
  const auto entries = ask([&] { return (*folder_file)->list(io, 2345, 2); });
  ASSERT_TRUE(entries);
  EXPECT_EQ(entries->front().name, "3345");
  EXPECT_EQ(entries->back().next, 2347u);
}

TEST_F(StateFiles, CountersAreAddedToAtTheCommit) {
  EXPECT_EQ(read(*counters, "stock/chairs"), errno_text(Errno::noent));
  EXPECT_EQ(write(*counters, "stock/chairs", "+5\n"), Errno::success);
  ASSERT_TRUE(commit());
  EXPECT_EQ(read(*counters, "stock/chairs"), "5\n");
  EXPECT_EQ(counters->stat(io, "stock/chairs", true)->size, 2u);
  EXPECT_EQ(write(*counters, "stock/chairs", "many"), Errno::inval);
  EXPECT_EQ(write(*counters, "stock/chairs", "-6 >=0"), Errno::success);
  const auto refused = commit();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::below_floor);
  EXPECT_EQ(read(*counters, "stock/chairs"), "5\n");
  EXPECT_EQ(counters->rename(io, "stock/chairs", "stock/x").error(), Errno::notsup);
}

// Nothing of the store is in memory.
class ColdStateFiles : public StateFiles {
 protected:
  ColdStateFiles() { looks = store::Reach::disk; }
};

TEST_F(ColdStateFiles, AreTheSameAndEveryReadWaits) {
  EXPECT_EQ(write(*kv, "carts/a/b", "seven"), Errno::success);
  EXPECT_EQ(write(*kv, "carts/c", "8"), Errno::success);
  ASSERT_TRUE(commit());
  waits = 0;
  EXPECT_EQ(list("carts", 1), (std::vector<std::string>{"a/", "c"}));
  EXPECT_EQ(read(*kv, "carts/a/b"), "seven");
  EXPECT_EQ(write(*kv, "carts/a/b", "eight", {.write = true}), Errno::success);
  EXPECT_TRUE(ask([&] { return kv->rename(io, "carts/a/b", "carts/d"); }));
  EXPECT_TRUE(ask([&] { return kv->unlink(io, "carts/c"); }));
  EXPECT_EQ(list("carts"), (std::vector<std::string>{"d"}));
  EXPECT_GT(waits, 5);
  ASSERT_TRUE(commit());
  EXPECT_EQ(read(*kv, "carts/d"), "eight");
}

TEST_F(ColdStateFiles, AnOpenFileKeepsItsSize) {
  EXPECT_EQ(write(*kv, "carts/a", "seven"), Errno::success);
  ASSERT_TRUE(commit());
  auto file = ask([&] { return kv->open(io, "carts/a", {.read = true}); });
  ASSERT_TRUE(file);
  for (int i = 0; i < 20; ++i) (void)read(*kv, "carts/other" + std::to_string(i));
  const auto stat = (*file)->stat(io);
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->size, 5U);
}

}  // namespace
}  // namespace carrel::capability
