#include "turn/scrub.h"

#include <gtest/gtest.h>

#include <vector>

namespace carrel::turn {
namespace {

struct Secrets : std::vector<SecretBytes> {
  Secrets(std::initializer_list<std::string_view> texts) {
    for (const auto text : texts) emplace_back(text);
  }
};

TEST(Scrub, LeavesATextWithoutSecretsAsItIs) {
  EXPECT_EQ(scrub("hello", Secrets{}), "hello");
  EXPECT_EQ(scrub("hello", Secrets{"s3cret"}), "hello");
  EXPECT_EQ(scrub("", Secrets{"s3cret"}), "");
}

TEST(Scrub, ReplacesEverySecretEverywhere) {
  EXPECT_EQ(scrub("a s3cret, s3crets3cret and hunter2", Secrets{"s3cret", "hunter2"}),
            "a [secret], [secret][secret] and [secret]");
}

TEST(Scrub, ReplacesSecretsThatOverlapAsOne) {
  EXPECT_EQ(scrub("<abcdefgh>", Secrets{"abcdef", "defgh"}), "<[secret]>");
  EXPECT_EQ(scrub("<abcdefgh>", Secrets{"cdef", "abcdefgh"}), "<[secret]>");
  EXPECT_EQ(scrub("<aaaaaa>", Secrets{"aaaa"}), "<[secret]>");
}

TEST(Scrub, LeavesWhatIsTooShortToBeASecret) {
  EXPECT_EQ(scrub("abc abcd", Secrets{"abc", ""}), "abc abcd");
}

TEST(Scrub, FindsTheLinesOfASecretOfSeveral) {
  const Secrets key = {"-----BEGIN-----\r\nMIIEow\nxy\n"};
  EXPECT_EQ(scrub("key MIIEow", key), "key [secret]");
  EXPECT_EQ(scrub("-----BEGIN-----", key), "[secret]");
}

TEST(SafeCut, EndsBeforeWhatMayBecomeASecret) {
  EXPECT_EQ(safe_cut("hello", Secrets{}), 5U);
  EXPECT_EQ(safe_cut("hello s3c", Secrets{"s3cret"}), 6U);
  EXPECT_EQ(safe_cut("hello s3cret", Secrets{"s3cret"}), 12U);
  EXPECT_EQ(safe_cut("s3cre", Secrets{"s3cret"}), 0U);
}

TEST(SafeCut, EndsBeforeASecretThatIsWholeWhenAnotherBeginsInIt) {
  // "defghi" may still come, and "abcdef" must not be cut for it.
  EXPECT_EQ(safe_cut("<abcdef", Secrets{"abcdef", "defghi"}), 1U);
}

TEST(SafeCut, LeaksNothingWhereverATextIsCut) {
  const Secrets secrets = {"abcabcabd", "cabdcab", "bdca"};
  const std::string text = "xxabcabcabdcabxabcabcabcabdyycabdcabcabdcab";
  const std::string whole = scrub(text, secrets);
  for (std::size_t at = 0; at <= text.size(); ++at) {
    const std::size_t cut = safe_cut(std::string_view(text).substr(0, at), secrets);
    EXPECT_EQ(scrub(text.substr(0, cut), secrets) + scrub(text.substr(cut), secrets), whole) << at;
  }
}

}  // namespace
}  // namespace carrel::turn
