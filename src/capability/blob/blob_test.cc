#include "capability/blob/blob.h"

#include <gtest/gtest.h>

#include <fstream>

#include "capability/state/test_turn.h"

namespace carrel::capability::blob {
namespace {

namespace fs = std::filesystem;
using wasi::Errno;
using wasi::OpenHow;

class BlobFiles : public state::StoredTurn {
 protected:
  void SetUp() override {
    setup.grants.blobs = {{.store = "images", .read = true, .write = true},
                          {.store = "shared", .read = true}};
    open();
  }
  void mount_all() override { blobs = mount(turn); }
  void unmount_all() override { blobs.reset(); }

  using File = std::unique_ptr<wasi::OpenFile>;
  wasi::Io<File> open_file(std::string_view path, OpenHow how) {
    return ask([&] { return blobs->open(io, path, how); });
  }
  Errno write_at(wasi::OpenFile& file, std::string_view text, std::uint64_t at) {
    while (!text.empty()) {
      const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
      const auto done = ask([&] { return file.write_at(io, std::span(&bytes, 1), at); });
      if (!done) return done.error();
      text.remove_prefix(*done);
      at += *done;
    }
    return Errno::success;
  }
  Errno write(std::string_view path, std::string_view text) {
    auto file = open_file(path, kAnew);
    if (!file) return file.error();
    const Errno error = write_at(**file, text, 0);
    EXPECT_TRUE((*file)->close(io));
    return error;
  }
  std::string read(std::string_view path) {
    auto file = open_file(path, {.read = true});
    if (!file) return errno_text(file.error());
    std::string all, piece(100'000, '\0');
    while (true) {
      const std::span<std::byte> bytes = std::as_writable_bytes(std::span(piece));
      const auto done = ask([&] { return (*file)->read(io, std::span(&bytes, 1)); });
      if (!done) return errno_text(done.error());
      if (*done == 0) break;
      all.append(piece, 0, *done);
    }
    EXPECT_TRUE((*file)->close(io));
    return all;
  }
  std::vector<std::string> list(std::string_view path) {
    auto file = open_file(path, {.folder = true, .read = true});
    if (!file) return {errno_text(file.error())};
    std::vector<std::string> names;
    const auto entries = ask([&] { return (*file)->list(io, 0, 100); });
    if (!entries) return {errno_text(entries.error())};
    for (const auto& entry : *entries) names.push_back(entry.name);
    return names;
  }
  std::uint64_t size(std::string_view path) {
    const auto stat = ask([&] { return blobs->stat(io, path, true); });
    return stat ? stat->size : UINT64_MAX;
  }
  // Bytes that no two parts have alike.
  static std::string pattern(std::size_t size, unsigned seed = 1) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
    return text;
  }
  static constexpr OpenHow kAnew{.create = true, .truncate = true, .write = true};
  static constexpr std::size_t kMiB = store::kPartBytes;

  std::shared_ptr<wasi::Node> blobs;
};

TEST_F(BlobFiles, ABlobOfManyPartsIsReadInTheTurnAndAfterTheStoreWasOpenedAgain) {
  const std::string text = pattern(3 * kMiB + 12'345);
  EXPECT_EQ(write("images/a/b", text), Errno::success);
  EXPECT_EQ(size("images/a/b"), text.size());
  EXPECT_TRUE(read("images/a/b") == text);
  ASSERT_TRUE(commit());
  close();
  open();
  EXPECT_EQ(size("images/a/b"), text.size());
  EXPECT_TRUE(read("images/a/b") == text);
  EXPECT_GT(waits, 4);
  EXPECT_EQ(list("images/a"), std::vector<std::string>{"b"});
  EXPECT_EQ(store->usage(setup.tenant).bytes / kMiB, 3u);
}

TEST_F(BlobFiles, OnePartOfABlobIsInMemoryAndGivenBack) {
  io.quota = kMiB;
  EXPECT_EQ(write("images/a", pattern(5 * kMiB)), Errno::success);
  EXPECT_EQ(read("images/a"), pattern(5 * kMiB));
  EXPECT_EQ(io.most, static_cast<std::int64_t>(kMiB));
  // Tails of files that are closed make room; those of open ones cannot.
  for (const char* name : {"images/b", "images/c", "images/d"}) {
    EXPECT_EQ(write(name, pattern(kMiB - 1)), Errno::success);
  }
  auto file = open_file("images/e", kAnew);
  ASSERT_TRUE(file);
  EXPECT_EQ(write_at(**file, "e", 0), Errno::success);
  EXPECT_EQ(write("images/f", pattern(kMiB)), Errno::dquot);
  file->reset();
  ASSERT_TRUE(commit());
  EXPECT_TRUE(read("images/c") == pattern(kMiB - 1));
  EXPECT_EQ(io.charged, 0);
}

TEST_F(BlobFiles, WhatIsWrittenInTheMiddleReplacesThat) {
  std::string text = pattern(2 * kMiB + 100);
  EXPECT_EQ(write("images/a", text), Errno::success);
  ASSERT_TRUE(commit());
  {
    auto file = open_file("images/a", {.read = true, .write = true});
    ASSERT_TRUE(file);
    for (const std::size_t at : {kMiB - 3, std::size_t{5}, 2 * kMiB + 98}) {
      EXPECT_EQ(write_at(**file, "seven!!", at), Errno::success);
      text.replace(at, 7, "seven!!");
    }
    EXPECT_TRUE((*file)->close(io));
  }
  EXPECT_TRUE(read("images/a") == text);
  ASSERT_TRUE(commit());
  EXPECT_TRUE(read("images/a") == text);
}

TEST_F(BlobFiles, ABlobIsWrittenAnewOrGoneOn) {
  EXPECT_EQ(write("images/a", pattern(kMiB + 1)), Errno::success);
  ASSERT_TRUE(commit());
  EXPECT_EQ(write("images/a", "short"), Errno::success);
  EXPECT_EQ(read("images/a"), "short");
  ASSERT_TRUE(commit());
  auto file = open_file("images/a", {.append = true, .write = true});
  ASSERT_TRUE(file);
  const std::span<const std::byte> more = std::as_bytes(std::span(std::string_view(" more")));
  EXPECT_TRUE(ask([&] { return (*file)->write(io, std::span(&more, 1)); }));
  file->reset();
  ASSERT_TRUE(commit());
  EXPECT_EQ(read("images/a"), "short more");
  EXPECT_LT(store->usage(setup.tenant).bytes, 1000u);
}

TEST_F(BlobFiles, ATurnThatIsGivenUpLeavesNothing) {
  EXPECT_EQ(write("images/a", pattern(2 * kMiB)), Errno::success);
  blobs.reset();
  begin();
  EXPECT_EQ(read("images/a"), errno_text(Errno::noent));
  EXPECT_EQ(list("images"), std::vector<std::string>());
  EXPECT_EQ(store->usage(setup.tenant).bytes, 0u);
}

TEST_F(BlobFiles, ADamagedPartIsAnErrorAndTheOthersAreRead) {
  const std::string text = pattern(2 * kMiB);
  EXPECT_EQ(write("images/a", text), Errno::success);
  ASSERT_TRUE(commit());
  const store::PartHash hash = store::hash_of_part(std::string_view(text).substr(kMiB));
  std::string digits;
  for (const unsigned byte : hash) {
    digits += "0123456789abcdef"[byte >> 4];
    digits += "0123456789abcdef"[byte & 15];
  }
  std::ofstream(store->parts().folder() / "shop" / digits, std::ios::in | std::ios::out) << "?!";
  auto file = open_file("images/a", {.read = true});
  ASSERT_TRUE(file);
  std::string piece(10, '\0');
  const std::span<std::byte> bytes = std::as_writable_bytes(std::span(piece));
  const auto read_at = [&](std::uint64_t at) {
    return ask([&] { return (*file)->read_at(io, std::span(&bytes, 1), at); });
  };
  EXPECT_EQ(read_at(kMiB + 7).error(), Errno::io);
  EXPECT_EQ(state->failure->code(), Code::data_corrupt);
  EXPECT_EQ(read_at(kMiB - 10).value_or(0), 10u);
  EXPECT_EQ(piece, text.substr(kMiB - 10, 10));
  EXPECT_EQ(read_at(kMiB + 7).error(), Errno::io);
}

TEST_F(BlobFiles, APartThatCannotBeWrittenFailsTheTurnAlsoUnderAnotherName) {
  std::ofstream(store->parts().folder() / "shop") << "in the way of the tenant's folder";
  EXPECT_EQ(write("images/a", pattern(kMiB + 1)), Errno::io);
  EXPECT_EQ(read("images/a"), errno_text(Errno::io));
  ASSERT_TRUE(blobs->rename(io, "images/a", "images/b"));
  const auto failed = commit();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), Code::io);
  EXPECT_EQ(list("images"), std::vector<std::string>());
}

TEST_F(BlobFiles, AWriteThatIsGivenUpFailsTheTurn) {
  const auto file = open_file("images/a", kAnew);
  ASSERT_TRUE(file);
  ASSERT_EQ(write_at(**file, pattern(kMiB), 0), Errno::success);
  const std::span<const std::byte> more = std::as_bytes(std::span(std::string_view("more")));
  ASSERT_EQ((*file)->write_at(io, std::span(&more, 1), kMiB).error(), Errno::again);
  io.waiting.start();
  io.waiting = {};  // as a component does that drops the stream
  EXPECT_EQ((*file)->write_at(io, std::span(&more, 1), kMiB).error(), Errno::io);
  EXPECT_FALSE(commit());
}

TEST_F(BlobFiles, AQuotaCountsWhatABlobHolds) {
  close();
  quota = 2 * kMiB;
  open();
  EXPECT_EQ(write("images/a", pattern(kMiB)), Errno::success);
  ASSERT_TRUE(commit());
  EXPECT_EQ(write("images/b", pattern(kMiB)), Errno::dquot);
  begin();
  EXPECT_EQ(write("images/a", pattern(kMiB + 1000, 2)), Errno::success);
  ASSERT_TRUE(commit());
  EXPECT_TRUE(read("images/a") == pattern(kMiB + 1000, 2));
}

TEST_F(BlobFiles, OnlyWhatIsGrantedExists) {
  EXPECT_EQ(list(""), (std::vector<std::string>{"images", "shared"}));
  EXPECT_EQ(write("others/a", "x"), Errno::acces);
  EXPECT_EQ(read("others/a"), errno_text(Errno::noent));
  EXPECT_EQ(write("shared/a", "x"), Errno::acces);
  EXPECT_EQ(read("shared/a"), errno_text(Errno::noent));
  EXPECT_EQ(blobs->unlink(io, "shared/a").error(), Errno::acces);
  EXPECT_EQ(blobs->rename(io, "images/a", "shared/a").error(), Errno::acces);
  setup.grants.blobs.clear();
  EXPECT_EQ(mount(turn), nullptr);
}

TEST_F(BlobFiles, RenamingMovesABlobAlsoOneThatIsNotWhole) {
  EXPECT_EQ(write("images/a", "one"), Errno::success);
  EXPECT_EQ(write("images/b", "two"), Errno::success);
  ASSERT_TRUE(blobs->rename(io, "images/a", "images/b"));
  EXPECT_EQ(read("images/a"), errno_text(Errno::noent));
  EXPECT_EQ(read("images/b"), "one");
  ASSERT_TRUE(commit());
  EXPECT_EQ(read("images/b"), "one");
  EXPECT_EQ(blobs->rename(io, "images/none", "images/c").error(), Errno::noent);
}

TEST_F(BlobFiles, ARenameThatThereIsNoRoomForChangesNothing) {
  const store::Place place{.kind = store::Kind::blob, .store = "images"};
  EXPECT_EQ(write("images/a", "one"), Errno::success);
  ASSERT_TRUE(commit());
  for (int i = 1; i < 10'000; ++i) {
    ASSERT_TRUE(
        state->transaction.put(place, "f/" + std::to_string(i), {.bytes = std::string(8, '\0')}));
  }
  EXPECT_EQ(ask([&] { return blobs->rename(io, "images/a", "images/b"); }).error(), Errno::dquot);
  EXPECT_EQ(read("images/a"), "one");
  EXPECT_EQ(read("images/b"), errno_text(Errno::noent));
  ASSERT_TRUE(ask([&] { return blobs->rename(io, "images/a", "images/f/1"); }));
  ASSERT_TRUE(commit());
  EXPECT_EQ(read("images/f/1"), "one");
}

TEST_F(BlobFiles, AnOpenBlobWhoseNameIsGoneIsStaleAndOneMadeAnewIsEmpty) {
  auto file = open_file("images/a", kAnew);
  ASSERT_TRUE(file);
  EXPECT_EQ(write_at(**file, "old", 0), Errno::success);
  ASSERT_TRUE(blobs->unlink(io, "images/a"));
  EXPECT_EQ(write_at(**file, "x", 0), Errno::stale);
  EXPECT_TRUE((*file)->close(io));
  EXPECT_EQ(write("images/a", ""), Errno::success);
  EXPECT_EQ(read("images/a"), "");
  ASSERT_TRUE(blobs->unlink(io, "images/a"));
  ASSERT_TRUE(commit());
  EXPECT_EQ(read("images/a"), errno_text(Errno::noent));
}

TEST_F(BlobFiles, SeveralOpenFilesOfABlobSeeOneContent) {
  auto first = open_file("images/a", kAnew);
  auto second = open_file("images/a", {.read = true, .write = true});
  ASSERT_TRUE(first && second);
  const std::string text = pattern(kMiB + 10);
  EXPECT_EQ(write_at(**first, text, 0), Errno::success);
  EXPECT_EQ(read("images/a"), text);
  EXPECT_EQ(write_at(**second, "from the other", kMiB - 7), Errno::success);
  EXPECT_EQ((*first)->stat(io)->size, text.size());
  EXPECT_TRUE((*first)->close(io));
  std::string changed = text;
  changed.replace(kMiB - 7, 14, "from the other");
  EXPECT_TRUE(read("images/a") == changed);
  EXPECT_TRUE((*second)->close(io));
  ASSERT_TRUE(commit());
  EXPECT_TRUE(read("images/a") == changed);
}

TEST_F(BlobFiles, ARenameOverAnOpenBlobIsWhatItsFilesSeeThen) {
  EXPECT_EQ(write("images/a", "the new one"), Errno::success);
  auto target = open_file("images/b", {.create = true, .read = true, .write = true});
  ASSERT_TRUE(target);
  EXPECT_EQ(write_at(**target, "old", 0), Errno::success);
  ASSERT_TRUE(ask([&] { return blobs->rename(io, "images/a", "images/b"); }));
  EXPECT_EQ(write_at(**target, "THE", 0), Errno::success);
  EXPECT_TRUE((*target)->close(io));
  ASSERT_TRUE(commit());
  EXPECT_EQ(read("images/b"), "THE new one");
}

TEST_F(BlobFiles, TheSizeOfAnOpenBlobIsKnownAfterManyOthersWereRead) {
  EXPECT_EQ(write("images/a", "text"), Errno::success);
  ASSERT_TRUE(commit());
  auto file = open_file("images/a", {.read = true});
  ASSERT_TRUE(file);
  for (int i = 0; i < 40; ++i) (void)size("images/" + std::to_string(i));
  const auto stat = ask([&] { return (*file)->stat(io); });
  EXPECT_EQ(stat ? stat->size : UINT64_MAX, 4u);
}

TEST_F(BlobFiles, ADamagedManifestIsAnErrorWhereverItIsMet) {
  const store::Place place{.kind = store::Kind::blob, .store = "images"};
  EXPECT_EQ(write("images/b", "good"), Errno::success);
  auto open_target = open_file("images/b", {.read = true});
  ASSERT_TRUE(open_target);
  (void)size("images/a");
  ASSERT_TRUE(state->transaction.put(place, "a", {.bytes = std::string(8, '\1')}));
  EXPECT_EQ(read("images/a"), errno_text(Errno::io));
  EXPECT_EQ(ask([&] { return blobs->rename(io, "images/a", "images/b"); }).error(), Errno::io);
  EXPECT_EQ(read("images/b"), "good");
}

TEST_F(BlobFiles, WhatIsNotSupportedIsSaid) {
  auto file = open_file("images/a", kAnew);
  ASSERT_TRUE(file);
  EXPECT_EQ(write_at(**file, "x", 1), Errno::notsup);
  EXPECT_EQ(write_at(**file, "x", 1ULL << 30), Errno::fbig);
  EXPECT_EQ(write_at(**file, "xyz", 0), Errno::success);
  EXPECT_EQ((*file)->set_size(io, 2).error(), Errno::notsup);
  EXPECT_EQ((*file)->set_size(io, (1ULL << 30) + 1).error(), Errno::fbig);
  EXPECT_TRUE((*file)->set_size(io, 3));
  EXPECT_TRUE((*file)->set_size(io, 0));
  EXPECT_EQ((*file)->stat(io)->size, 0u);
  EXPECT_EQ(blobs->set_times(io, "images/a", {}, true).error(), Errno::notsup);
}

}  // namespace
}  // namespace carrel::capability::blob
