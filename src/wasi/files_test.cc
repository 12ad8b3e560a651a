#include "wasi/fake_files.h"
#include "wasi/fake_guest.h"
#include "wasi/rights.h"

namespace carrel::wasi {
namespace {

using testing::FakeFolder;
using testing::FakeGuest;
using testing::FakePipe;
using testing::FakeStream;

constexpr std::uint64_t kAt = FakeGuest::kResult;
constexpr std::uint64_t kText = FakeGuest::kText;
constexpr std::uint64_t kBuffer = FakeGuest::kBuffer;
constexpr std::uint64_t kCreate = 1, kFolder = 2, kTruncate = 8;
constexpr std::uint64_t kReadWrite = right::kRead | right::kWrite;

struct Files : ::testing::Test {
  std::shared_ptr<FakeFolder> a = std::make_shared<FakeFolder>();
  std::shared_ptr<FakeFolder> b = std::make_shared<FakeFolder>();
  FakePipe pipe;
  FakeGuest guest{environment()};

  Environment environment() {
    a->files["f"] = std::make_shared<std::string>("hello");
    Environment result;
    result.tree->mount("/a", a);
    result.tree->mount("/x/b", b);
    result.preopens.push_back({"/", "/"});
    result.standard_in = std::make_unique<FakeStream>(pipe);
    result.standard_out = std::make_unique<FakeStream>(pipe);
    result.standard_error = std::make_unique<FakeStream>(pipe);
    result.max_open_files = 8;
    return result;
  }
  Errno with_path(std::string_view name, std::string_view path) {
    return guest(name, {3, kText, guest.put(path)});
  }
  Errno stat(std::string_view path) {
    return guest("path_filestat_get", {3, 1, kText, guest.put(path), kAt});
  }
  Errno rename(std::string_view from, std::string_view to) {
    const auto from_size = guest.put(from);
    const auto to_size = guest.put(to, FakeGuest::kOther);
    return guest("path_rename", {3, kText, from_size, 3, FakeGuest::kOther, to_size});
  }
  Errno open_error(std::string_view path, std::uint64_t rights, std::uint64_t oflags = 0) {
    return guest.open(path, rights, oflags) == 0xffffffff ? guest.last() : Errno::success;
  }
  // The names of a folder, read with buffers of `size` bytes as the C library does.
  std::vector<std::string> list(std::uint64_t fd, std::uint32_t size) {
    std::vector<std::string> names;
    std::uint64_t cookie = 0;
    for (;;) {
      EXPECT_EQ(guest("fd_readdir", {fd, kBuffer, size, cookie, kAt}), Errno::success);
      const auto used = guest.load<std::uint32_t>(kAt);
      std::uint32_t at = 0;
      while (at + 24 <= used) {
        const auto name_size = guest.load<std::uint32_t>(kBuffer + at + 16);
        if (at + 24 + name_size > used) break;
        names.push_back(guest.text(kBuffer + at + 24, name_size));
        cookie = guest.load<std::uint64_t>(kBuffer + at);
        at += 24 + name_size;
      }
      if (used < size) return names;
      if (at == 0) return {"(the buffer is too small for any entry)"};
    }
  }
};

TEST_F(Files, OpenOnlyForWhatWasAsked) {
  const auto reader = guest.open("a/f", right::kRead);
  EXPECT_EQ(guest.read(reader, 100), "hello");
  EXPECT_EQ(guest.write(reader, "x"), -1);
  EXPECT_EQ(guest.last(), Errno::badf);
  const auto writer = guest.open("a/f", right::kWrite);
  EXPECT_EQ(guest.write(writer, "J"), 1);
  EXPECT_EQ(guest.read(writer, 1), "(failed)");
  EXPECT_EQ(guest.last(), Errno::badf);
  EXPECT_EQ(*a->files["f"], "Jello");
  EXPECT_EQ(guest("fd_filestat_set_size", {reader, 0}), Errno::badf);
}

TEST_F(Files, TellTheNodeHowTheyAreOpened) {
  guest.open("a/new", kReadWrite, kCreate | kTruncate, 1 | 4);
  EXPECT_TRUE(a->last_how.create && a->last_how.truncate && a->last_how.append &&
              a->last_how.nonblock);
  EXPECT_TRUE(a->last_how.read && a->last_how.write && a->last_how.follow);
  EXPECT_FALSE(a->last_how.folder || a->last_how.exclusive || a->last_how.sync);
}

TEST_F(Files, RefuseUnknownFlags) {
  EXPECT_EQ(open_error("a/f", right::kRead, 16), Errno::inval);
  EXPECT_EQ(guest("path_open", {3, 2, kText, guest.put("a/f"), 0, 2, 2, 0, kAt}), Errno::inval);
  EXPECT_EQ(guest("path_open", {3, 0, kText, guest.put("a/f"), 0, 2, 2, 32, kAt}), Errno::inval);
  EXPECT_EQ(open_error("a/f", right::kRead, kCreate | kFolder), Errno::inval);
}

TEST_F(Files, WithASlashBehindAreNoFiles) {
  EXPECT_EQ(open_error("a/f/", right::kRead), Errno::notdir);
  EXPECT_EQ(open_error("a/new/", right::kWrite, kCreate), Errno::isdir);
  EXPECT_EQ(stat("a/f/"), Errno::notdir);
  EXPECT_EQ(with_path("path_unlink_file", "a/f/"), Errno::notdir);
  EXPECT_EQ(rename("a/f/", "a/g"), Errno::notdir);
  EXPECT_EQ(stat("a/"), Errno::success);
  EXPECT_FALSE(a->files.contains("new"));
}

TEST_F(Files, GetTheLowestFreeDescriptor) {
  EXPECT_EQ(guest.open("a/f", right::kRead), 4U);
  EXPECT_EQ(guest.open("a/f", right::kRead), 5U);
  EXPECT_EQ(guest("fd_close", {4}), Errno::success);
  EXPECT_EQ(guest("fd_close", {4}), Errno::badf);
  EXPECT_EQ(guest.open("a/f", right::kRead), 4U);
  EXPECT_EQ(guest("fd_close", {0}), Errno::success);
  EXPECT_EQ(guest.open("a/f", right::kRead), 0U);
}

TEST_F(Files, AreBoundedInNumber) {
  for (int i = 4; i < 8; ++i)
    EXPECT_EQ(guest.open("a/f", right::kRead), static_cast<std::uint32_t>(i));
  EXPECT_EQ(open_error("a/new", right::kWrite, kCreate), Errno::mfile);
  EXPECT_FALSE(a->files.contains("new")) << "nothing is made that cannot be opened";
  EXPECT_EQ(guest("fd_close", {5}), Errno::success);
  EXPECT_EQ(open_error("a/f", right::kRead), Errno::success);
}

TEST_F(Files, RenumberingReplacesAndCloses) {
  const auto from = guest.open("a/f", right::kRead);
  const auto to = guest.open("a/fails", right::kWrite, kCreate);
  EXPECT_EQ(guest("fd_renumber", {from, 77}), Errno::badf);
  EXPECT_EQ(guest("fd_renumber", {77, from}), Errno::badf);
  EXPECT_EQ(guest("fd_renumber", {from, from}), Errno::success);
  EXPECT_EQ(guest("fd_renumber", {from, to}), Errno::io) << "what was there fails at its close";
  EXPECT_EQ(guest.read(to, 5), "hello");
  EXPECT_EQ(guest.read(from, 5), "(failed)");
}

TEST_F(Files, AnErrorAtAnyCloseFailsTheTurn) {
  const auto fd = guest.open("a/fails", right::kWrite, kCreate);
  EXPECT_EQ(guest("fd_close", {fd}), Errno::io);
  EXPECT_EQ(guest.wasi.close_all().error(), Errno::io);
}

TEST_F(Files, LeftOpenAreClosedAtTheEnd) {
  guest.open("a/f", right::kRead);
  EXPECT_TRUE(guest.wasi.close_all().has_value());
  EXPECT_EQ(guest("fd_fdstat_get", {4, kAt}), Errno::badf);
  guest.open("a/f", right::kRead, 0, 0, 3);
  EXPECT_EQ(guest.last(), Errno::badf);
}

TEST_F(Files, KeepTheirPositionsApartFromPreadAndPwrite) {
  const auto fd = guest.open("a/f", kReadWrite);
  guest.vector(kBuffer, 2);
  EXPECT_EQ(guest("fd_pread", {fd, FakeGuest::kOther, 1, 1, kAt}), Errno::success);
  EXPECT_EQ(guest.text(kBuffer, 2), "el");
  EXPECT_EQ(guest("fd_tell", {fd, kAt}), Errno::success);
  EXPECT_EQ(guest.load<std::uint64_t>(kAt), 0U);
  EXPECT_EQ(guest("fd_pwrite", {fd, FakeGuest::kOther, 1, ~0ULL, kAt}), Errno::inval);
  EXPECT_EQ(guest("fd_seek", {fd, ~0ULL, 0, kAt}), Errno::inval);
  EXPECT_EQ(guest("fd_seek", {fd, 0, 3, kAt}), Errno::inval);
  EXPECT_EQ(guest("fd_seek", {fd, ~0ULL, 2, kAt}), Errno::success);
  EXPECT_EQ(guest.load<std::uint64_t>(kAt), 4U);
}

TEST_F(Files, OfSnapshot0CountWhenceAndLinksInAnotherWay) {
  const auto fd = guest.open("a/f", right::kRead);
  const auto& seek = testing::function("fd_seek", "wasi_unstable");
  EXPECT_EQ(guest.run(seek, {fd, 0, 1, kAt}), Errno::success);
  EXPECT_EQ(guest.load<std::uint64_t>(kAt), 5U) << "1 is the end";
  const auto& stat = testing::function("path_filestat_get", "wasi_unstable");
  guest.store(kAt + 56, std::uint64_t{0x1234});
  EXPECT_EQ(guest.run(stat, {3, 0, kText, guest.put("a/f"), kAt}), Errno::success);
  EXPECT_EQ(guest.load<std::uint32_t>(kAt + 20), 1U);
  EXPECT_EQ(guest.load<std::uint64_t>(kAt + 24), 5U);
  EXPECT_EQ(guest.load<std::uint64_t>(kAt + 56), 0x1234U) << "it is 56 bytes long";
}

TEST_F(Files, StreamsHaveNoPosition) {
  EXPECT_EQ(guest("fd_seek", {1, 0, 1, kAt}), Errno::spipe);
  EXPECT_EQ(guest("fd_tell", {0, kAt}), Errno::spipe);
  EXPECT_EQ(guest("fd_pread", {0, FakeGuest::kOther, 0, 0, kAt}), Errno::spipe);
}

TEST_F(Files, AStreamIsATerminalOnlyIfItSaysSo) {
  EXPECT_EQ(guest("fd_fdstat_get", {1, kAt}), Errno::success);
  EXPECT_NE(guest.load<std::uint8_t>(kAt), 2) << "the C library would write line by line";
  EXPECT_EQ(guest.load<std::uint64_t>(kAt + 8) & kPositionRights, 0U);
  EXPECT_NE(guest.load<std::uint64_t>(kAt + 8) & right::kWrite, 0U);
  FakePipe terminal{.terminal = true};
  Environment environment;
  environment.standard_out = std::make_unique<FakeStream>(terminal);
  FakeGuest other(std::move(environment));
  EXPECT_EQ(other("fd_fdstat_get", {1, kAt}), Errno::success);
  EXPECT_EQ(other.load<std::uint8_t>(kAt), 2);
}

TEST_F(Files, AReaderOfAStreamWaitsAndLosesNothing) {
  guest.vector(kBuffer, 10);
  const auto& read = testing::function("fd_read");
  ASSERT_EQ(guest.start(read, {0, FakeGuest::kOther, 1, kAt}), wasm::HostStatus::pending);
  auto wait = guest.call.take_wait();
  wait.start();
  EXPECT_FALSE(wait.done());
  pipe.input = "input";
  pipe.changed.signal();
  EXPECT_TRUE(wait.done());
  ASSERT_EQ(guest.start(read, {0, FakeGuest::kOther, 1, kAt}), wasm::HostStatus::done);
  EXPECT_EQ(guest.text(kBuffer, guest.load<std::uint32_t>(kAt)), "input");
}

TEST_F(Files, AChangeOfAnOpenFileWaitsWhereItsFileHasTo) {
  const auto fd =
      guest.open("a/slow", right::kWrite | right::kSetSize | right::kSetTimes | right::kAllocate);
  EXPECT_EQ(guest("fd_filestat_set_size", {fd, 1}), Errno::success);
  EXPECT_EQ(guest.waits, 1);
  EXPECT_EQ(guest("fd_filestat_set_times", {fd, 0, 5, 4}), Errno::success);
  EXPECT_EQ(guest.waits, 1);
  EXPECT_EQ(guest("fd_allocate", {fd, 0, 1}), Errno::success);
  EXPECT_EQ(guest.waits, 1);
}

TEST_F(Files, ANonblockingReaderIsToldToComeAgain) {
  EXPECT_EQ(guest("fd_fdstat_set_flags", {0, 4}), Errno::success);
  guest.vector(kBuffer, 10);
  EXPECT_EQ(guest.start(testing::function("fd_read"), {0, FakeGuest::kOther, 1, kAt}),
            wasm::HostStatus::done);
  EXPECT_EQ(guest.last(), Errno::again);
}

TEST_F(Files, AHostCallMovesABoundedNumberOfBytesAndVectors) {
  const auto fd = guest.open("a/new", right::kWrite, kCreate);
  guest.vector(0, 1 << 20);
  EXPECT_EQ(guest("fd_write", {fd, FakeGuest::kOther, 1, kAt}), Errno::success);
  EXPECT_EQ(guest.load<std::uint32_t>(kAt), 256U << 10);
  for (std::uint32_t i = 0; i < 2000; ++i) guest.vector(0, 1, kBuffer + i * 8);
  EXPECT_EQ(guest("fd_write", {fd, kBuffer, 2000, kAt}), Errno::success);
  EXPECT_EQ(guest.load<std::uint32_t>(kAt), 1024U);
}

TEST_F(Files, NothingIsWrittenWhenTheCountCannotBeReturned) {
  guest.vector(kBuffer, 5);
  EXPECT_EQ(guest("fd_write", {1, FakeGuest::kOther, 1, testing::kMemory - 3}), Errno::fault);
  guest.vector(testing::kMemory - 4, 5);
  EXPECT_EQ(guest("fd_write", {1, FakeGuest::kOther, 1, kAt}), Errno::fault);
  EXPECT_EQ(pipe.output, "");
}

TEST_F(Files, AreChargedToTheTurnsMemory) {
  Environment environment;
  environment.tree->mount("/a", a);
  environment.preopens.push_back({"/", "/"});
  environment.private_memory = 3;
  FakeGuest small(std::move(environment));
  const auto fd = small.open("a/q", right::kWrite, kCreate);
  EXPECT_EQ(small.write(fd, "abc"), 3);
  EXPECT_EQ(small.write(fd, "d"), -1);
  EXPECT_EQ(small.last(), Errno::dquot);
}

TEST_F(Files, MoveOnlyWithinTheirMount) {
  EXPECT_EQ(rename("a/f", "x/b/f"), Errno::xdev);
  EXPECT_EQ(rename("a/f", "a/g"), Errno::success);
  EXPECT_TRUE(a->files.contains("g"));
  EXPECT_EQ(rename("a", "c"), Errno::busy);
  EXPECT_EQ(rename("a/g", "x"), Errno::busy);
  EXPECT_EQ(rename("nothing", "a/h"), Errno::noent);
  guest.put("a/g");
  guest.put("x/b/g", FakeGuest::kOther);
  EXPECT_EQ(guest("path_link", {3, 0, kText, 3, 3, FakeGuest::kOther, 5}), Errno::xdev);
}

TEST_F(Files, FoldersAboveMountsCanBeSeenButNotChanged) {
  EXPECT_EQ(stat("x"), Errno::success);
  EXPECT_EQ(guest.load<std::uint8_t>(kAt + 16), 3);
  EXPECT_EQ(stat("y"), Errno::noent);
  EXPECT_EQ(with_path("path_create_directory", "x"), Errno::exist);
  EXPECT_EQ(with_path("path_create_directory", "y"), Errno::rofs);
  EXPECT_EQ(open_error("y", right::kWrite, kCreate), Errno::rofs);
  EXPECT_EQ(open_error("y", right::kRead), Errno::noent);
  EXPECT_EQ(open_error("x", right::kWrite), Errno::isdir);
  EXPECT_EQ(with_path("path_remove_directory", "x"), Errno::busy);
  EXPECT_EQ(with_path("path_remove_directory", "a"), Errno::busy);
  EXPECT_EQ(with_path("path_unlink_file", "x"), Errno::isdir);
}

TEST_F(Files, FoldersAreListedWholeWhateverTheBuffer) {
  const auto folder = guest.open("a", right::kReaddir, kFolder);
  for (int i = 0; i < 200; ++i)
    a->files["name" + std::to_string(i)] = std::make_shared<std::string>();
  const auto again = guest.open("a", right::kReaddir, kFolder);
  EXPECT_EQ(list(folder, 64), (std::vector<std::string>{".", "..", "f"}));
  const auto whole = list(again, 60'000);
  EXPECT_EQ(whole.size(), 203U);
  EXPECT_EQ(list(again, 64), whole);
  EXPECT_EQ(list(again, 1000), whole);
}

TEST_F(Files, TheRootListsItsMounts) {
  EXPECT_EQ(list(3, 4096), (std::vector<std::string>{".", "..", "a", "x"}));
  EXPECT_EQ(list(guest.open("x", right::kReaddir, kFolder), 4096),
            (std::vector<std::string>{".", "..", "b"}));
}

TEST_F(Files, AnEntryThatDoesNotFitIsCutOff) {
  EXPECT_EQ(guest("fd_readdir", {3, kBuffer, 10, 0, kAt}), Errno::success);
  EXPECT_EQ(guest.load<std::uint32_t>(kAt), 10U);
  EXPECT_EQ(guest.load<std::uint64_t>(kBuffer), 1U);
  EXPECT_EQ(guest("fd_readdir", {3, kBuffer, 0, 0, kAt}), Errno::success);
  EXPECT_EQ(guest("fd_readdir", {3, kBuffer, 100, ~0ULL, kAt}), Errno::success);
  EXPECT_EQ(guest.load<std::uint32_t>(kAt), 0U) << "a cookie behind the end";
  EXPECT_EQ(guest("fd_readdir", {1, kBuffer, 100, 0, kAt}), Errno::notdir);
}

TEST_F(Files, AFolderOfThousandsIsListedInPiecesBetweenWhichOthersRun) {
  for (int i = 0; i < 3000; ++i)
    a->files["n" + std::to_string(i)] = std::make_shared<std::string>();
  const auto folder = guest.open("a", right::kReaddir, kFolder);
  EXPECT_EQ(guest("fd_readdir", {folder, kBuffer, 900'000, 0, kAt}), Errno::success);
  EXPECT_GE(guest.waits, 3);
  std::size_t names = 0;
  const auto used = guest.load<std::uint32_t>(kAt);
  for (std::uint32_t at = 0; at < used; ++names)
    at += 24 + guest.load<std::uint32_t>(kBuffer + at + 16);
  EXPECT_EQ(names, 3003U);
}

TEST_F(Files, RightsCanBeGivenUpButNotGained) {
  const auto fd = guest.open("a/f", kReadWrite);
  EXPECT_EQ(guest("fd_fdstat_set_rights", {fd, right::kRead, 0}), Errno::success);
  EXPECT_EQ(guest.write(fd, "x"), -1);
  EXPECT_EQ(guest("fd_fdstat_set_rights", {fd, kReadWrite, 0}), Errno::notcapable);
  EXPECT_EQ(guest("fd_fdstat_set_rights", {3, kFolderRights, right::kRead}), Errno::success);
  EXPECT_EQ(open_error("a/f", kReadWrite), Errno::notcapable);
  EXPECT_EQ(open_error("a/f", right::kRead), Errno::success);
}

TEST_F(Files, AFileIsNoFolderToOpenThrough) {
  const auto fd = guest.open("a/f", right::kRead);
  EXPECT_EQ(guest("path_filestat_get", {fd, 0, kText, guest.put("x"), kAt}), Errno::notdir);
  EXPECT_EQ(guest.read(3, 1), "(failed)");
  EXPECT_EQ(guest.last(), Errno::isdir);
}

TEST_F(Files, AnOpenedFolderCannotBeLeft) {
  const auto fd = guest.open("x", right::kReaddir, kFolder);
  EXPECT_EQ(guest("path_filestat_get", {fd, 0, kText, guest.put("b"), kAt}), Errno::success);
  EXPECT_EQ(guest("path_filestat_get", {fd, 0, kText, guest.put("../a"), kAt}), Errno::notcapable);
}

TEST_F(Files, ALinksTargetIsCutToTheBuffer) {
  EXPECT_EQ(guest("path_readlink", {3, kText, guest.put("a/l"), kBuffer, 3, kAt}), Errno::success);
  EXPECT_EQ(guest.load<std::uint32_t>(kAt), 3U);
  EXPECT_EQ(guest.text(kBuffer, 4), std::string("tar\0", 4));
}

TEST_F(Files, TimesAreEitherGivenOrNow) {
  const auto fd = guest.open("a/f", right::kRead);
  EXPECT_EQ(guest("fd_filestat_set_times", {fd, 0, 0, 3}), Errno::inval);
  EXPECT_EQ(guest("fd_filestat_set_times", {fd, 0, 0, 12}), Errno::inval);
  EXPECT_EQ(guest("fd_filestat_set_times", {fd, 0, 0, 16}), Errno::inval);
  EXPECT_EQ(guest("fd_filestat_set_times", {fd, 0, 0, 5}), Errno::notsup)
      << "what this file answers";
}

TEST_F(Files, AreNoSockets) {
  EXPECT_EQ(guest("sock_shutdown", {1, 0}), Errno::notsock);
  EXPECT_EQ(guest("sock_accept", {77, 0, kAt}), Errno::badf);
}

}  // namespace
}  // namespace carrel::wasi
