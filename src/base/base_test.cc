#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>

#include "base/base64.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/hex.h"
#include "base/id.h"
#include "base/look_out.h"
#include "base/name_table.h"
#include "base/node_key.h"
#include "base/percent.h"
#include "base/result.h"
#include "base/second_chance.h"
#include "base/secret_bytes.h"
#include "base/share.h"
#include "base/utf8.h"

namespace carrel {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

TEST(SecretBytes, StayWhereTheyAreWhenTheyAreMoved) {
  SecretBytes first(std::string_view("s3cret"));
  const char* const place = first.view().data();
  const SecretBytes second = std::move(first);
  EXPECT_EQ(second.view(), "s3cret");
  EXPECT_EQ(second.view().data(), place);
}

TEST(SecretBytes, AreFilledAndShortened) {
  SecretBytes bytes(8);
  std::ranges::fill(bytes.room().first(3), std::byte{'x'});
  bytes.shorten(3);
  EXPECT_EQ(bytes.view(), "xxx");
  bytes.shorten(9);
  EXPECT_EQ(bytes.size(), 3U);
  EXPECT_EQ(SecretBytes().view(), "");
}

TEST(SecretBytes, ACopyInAStringIsWipedToItsCapacity) {
  std::string copy;
  copy.reserve(kNeverInline);
  copy = "s3cret";
  const char* const place = copy.data();
  wipe(copy);
  EXPECT_TRUE(copy.empty());
  EXPECT_EQ(copy.data(), place);
  EXPECT_EQ(std::string_view(place, 6), std::string_view("\0\0\0\0\0\0", 6));
}

TEST(Hex, IsLowerCaseAndReadsBoth) {
  const std::array bytes{std::byte{0}, std::byte{0x7f}, std::byte{0xa5}};
  EXPECT_EQ(to_hex(bytes), "007fa5");
  std::array<std::byte, 3> read{};
  EXPECT_TRUE(from_hex("007Fa5", read));
  EXPECT_TRUE(std::ranges::equal(read, bytes));
  for (const auto* wrong : {"", "007fa", "007fa5a5", "007fag", "0x7fa5"}) {
    EXPECT_FALSE(from_hex(wrong, read)) << wrong;
  }
  EXPECT_EQ(hex_digit('9'), 9);
  EXPECT_EQ(hex_digit('a'), 10);
  EXPECT_EQ(hex_digit('F'), 15);
  for (const char c : {'g', 'G', '/', ':', '@', '`', '\0', '\xff'}) EXPECT_EQ(hex_digit(c), -1);
}

TEST(Base64, HasOneFormForAllBytes) {
  for (const std::string& bytes :
       {std::string(), std::string("a"), std::string("ab"), std::string("abc"),
        std::string("\0\xff\n", 3), std::string(1000, '\xfe')}) {
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  }
  EXPECT_EQ(to_base64("abcd\xff"), "YWJjZP8=");
  for (const char* text :
       {"A", "AA", "AAA", "AB=", "A===", "AA==AA==", "A-B_", "AB==", "AAF=", "AA==\n", " AA=="}) {
    EXPECT_EQ(from_base64(text), std::nullopt) << text;
  }
}

TEST(NodeKey, IsReadFromHexadecimalDigits) {
  const auto key = parse_node_key("00fF" + std::string(60, 'a'));
  ASSERT_TRUE(key);
  EXPECT_EQ((*key)[0], std::byte{0});
  EXPECT_EQ((*key)[1], std::byte{0xff});
  EXPECT_EQ((*key)[31], std::byte{0xaa});
}

TEST(NodeKey, IsRefusedWhenItIsAnythingElse) {
  for (const std::string& text : {std::string(), std::string(63, 'a'), std::string(65, 'a'),
                                  std::string(63, 'a') + "g", std::string(32, '\xff')})
    EXPECT_EQ(parse_node_key(text).error().code(), Code::invalid_config) << text;
}

TEST(NodeKey, IsTakenOutOfTheEnvironment) {
  ASSERT_EQ(setenv("CARREL_NODE_KEY", std::string(64, '7').c_str(), 1), 0);
  take_node_key();
  EXPECT_EQ(::getenv("CARREL_NODE_KEY"), nullptr);
  const auto key = node_key_from("/nowhere/node.key");
  ASSERT_TRUE(key);
  EXPECT_EQ((*key)[5], std::byte{0x77});
  EXPECT_EQ(getenv("CARREL_NODE_KEY"), nullptr);
  EXPECT_EQ(node_key_from("/nowhere/node.key").value(), *key);
}

TEST(Error, HasANameATextAndAStatusForEveryCode) {
  EXPECT_EQ(code_name(Code::guest_trapped), "guest_trapped");
  EXPECT_EQ(http_status(Code::guest_trapped), 502);
  EXPECT_EQ(code_text(Code::not_found), "There is nothing here");
}

TEST(Error, TreatsACodeOutsideTheCatalogueAsInternal) {
  EXPECT_EQ(code_name(static_cast<Code>(9)), "internal");
  EXPECT_EQ(http_status(static_cast<Code>(9)), 500);
}

TEST(Error, TellsWhatHappenedFromTheOutsideInAndHowToHelp) {
  const Error error =
      Error(Code::io, "disk full", "make room").within("cannot save").within("deploy");
  EXPECT_EQ(error.describe(), "deploy: cannot save: disk full\n  help     make room");
}

TEST(Error, SaysTheCodesTextWhenItHasNoMessage) {
  EXPECT_EQ(Error(Code::not_found).describe(), "There is nothing here");
}

Result<int> half(int value) {
  if (value % 2 != 0) return fail(Code::invalid_argument, "odd");
  return value / 2;
}
Result<int> quarter(int value) {
  CARREL_TRY(const int once, half(value));
  CARREL_TRY(const int twice, half(once));
  return twice;
}
Result<void> check(int value) {
  CARREL_TRY_VOID(half(value));
  return {};
}

TEST(Result, PassesAnErrorUp) {
  EXPECT_EQ(quarter(8), 2);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().message(), "odd");
  EXPECT_TRUE(check(2));
  EXPECT_FALSE(check(3));
}

TEST(Digest, IsSha256) {
  EXPECT_EQ(sha256_hex(std::string_view()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Fd, ClosesWhatItOwnsOnce) {
  int raw = -1;
  {
    Fd first(open("/dev/null", O_RDONLY));
    raw = first.get();
    Fd second = std::move(first);
    EXPECT_FALSE(first);
    EXPECT_EQ(second.get(), raw);
    EXPECT_NE(fcntl(raw, F_GETFD), -1);
  }
  EXPECT_EQ(fcntl(raw, F_GETFD), -1);
}

class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = fs::temp_directory_path() / "carrel-base-XXXXXX";
    folder = mkdtemp(pattern.data());
  }
  void TearDown() override { fs::remove_all(folder); }
  fs::path folder;
};

TEST_F(Files, ThatAreNotThereAreNotFound) {
  auto content = read_file(folder / "none", 10);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().code(), Code::not_found);
}

TEST_F(Files, ThatAreFoldersOrDevicesAreRefused) {
  EXPECT_EQ(read_file(folder, 10).error().code(), Code::invalid_argument);
  EXPECT_EQ(read_file("/dev/zero", 10).error().code(), Code::invalid_argument);
}

TEST_F(Files, AreReadWholeUpToTheirBound) {
  std::ofstream(folder / "five") << "12345";
  EXPECT_EQ(read_file(folder / "five", 5), "12345");
  auto content = read_file(folder / "five", 4);
  ASSERT_FALSE(content);
  EXPECT_THAT(content.error().message(), HasSubstr("more than 4 bytes"));
}

TEST_F(Files, OfAnySizeTakeNoMoreMemoryThanTheirBound) {
  std::ofstream(folder / "sparse") << "1";
  fs::resize_file(folder / "sparse", 1ULL << 42);
  EXPECT_EQ(read_file(folder / "sparse", 4).error().code(), Code::invalid_argument);
}

TEST(Percent, EncodesAllThatIsNotUnreserved) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode(std::string_view("a/b ?&%+\0\xff", 10)), "a%2Fb%20%3F%26%25%2B%00%FF");
}

TEST(Utf8, HasNoOverlongFormsSurrogatesOrCutOffSequences) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"));
  for (const std::string_view bad :
       {"\x80", "\xc0\xaf", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xe2\x82", "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

TEST(Clock, OfThisThreadCountsOnlyItsWork) {
  const Nanos before = thread_cpu_time();
  volatile std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < 1'000'000; ++i) sum = sum + i;
  EXPECT_GT(thread_cpu_time(), before);
}

TEST(LookOut, FindsWhatComes) {
  LookOut look_out{std::chrono::seconds(10)};
  int looks = 0;
  if (std::thread::hardware_concurrency() < 2) GTEST_SKIP() << "one processor does not look out";
  EXPECT_TRUE(look_out([&] { return ++looks == 3; }));
  EXPECT_TRUE(look_out([&] { return ++looks == 6; }));
}

TEST(LookOut, IsLeftOutMoreAndMoreWhereItDoesNotPay) {
  LookOut look_out{std::chrono::microseconds(1)};
  int tries = 0;
  for (int i = 0; i < 10'000; ++i) {
    bool looked = false;
    look_out([&] { return !(looked = true); });
    tries += looked ? 1 : 0;
  }
  EXPECT_LT(tries, 60);
}

TEST(SecondChance, TheOldestGoesUnlessItHasBeenUsed) {
  struct Thing {
    bool used = false;
  };
  std::map<std::string, Thing> things{{"a", {}}, {"b", {}}, {"c", {}}};
  SecondChance<std::string> order;
  for (const auto& [name, thing] : things) order.add(name);
  things["a"].used = things["b"].used = true;
  EXPECT_EQ(order.next(things)->first, "c");
  EXPECT_EQ(order.size(), 2U);
  EXPECT_EQ(order.next(things)->first, "a") << "it had its second chance";
  EXPECT_EQ(order.next(things)->first, "b");
}

TEST(NameTable, AChangeLeavesReadersWhatTheyHave) {
  NameTable<int> table;
  for (int i = 0; i < 1000; ++i) table.set(std::to_string(i), std::make_shared<int>(i));
  const NameTable<int> before = table;
  table.set("7", std::make_shared<int>(70));
  table.remove("8");
  EXPECT_EQ(**before.find("7"), 7);
  EXPECT_EQ(**before.find("8"), 8);
  EXPECT_EQ(**table.find("7"), 70);
  EXPECT_EQ(table.find("8"), nullptr);
  int count = 0;
  table.each([&](const std::string&, const auto&) { ++count; });
  EXPECT_EQ(count, 999);
}

TEST(Share, PlacesAreSpreadAndStay) {
  int low = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) low += place_among_hundred(i) < 10 ? 1 : 0;
  EXPECT_GT(low, 60);
  EXPECT_LT(low, 140);
  static_assert(place_among_hundred("cart-7") == place_among_hundred("cart-7"));
  static_assert(place_among_hundred("cart-7") < 100);
}

}  // namespace
}  // namespace carrel
