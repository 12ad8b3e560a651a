#include "net/dns_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/dns.h"

namespace carrel::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;

// An answer to nothing, with records of one name ("a.example").
class Answer {
 public:
  Answer& add(int type, std::string_view data, int kind = 1) {
    bytes_ += name_;
    for (const int each : {type, kind, 0, 60}) number(each);  // type, class, time to live
    number(static_cast<int>(data.size()));
    bytes_ += data;
    ++count_;
    return *this;
  }
  std::vector<unsigned char> message() const {
    std::string all = {
        0x12, 0x34, static_cast<char>(0x81), static_cast<char>(0x80), 0, 0, 0, count_, 0, 0, 0, 0};
    all += bytes_;
    return {all.begin(), all.end()};
  }

 private:
  void number(int n) { bytes_ += {static_cast<char>(n >> 8), static_cast<char>(n & 0xff)}; }
  const std::string name_ = std::string("\1a\7example", 10) + '\0';
  std::string bytes_;
  char count_ = 0;
};

TEST(DnsAnswer, GivesTextsAndPutsTheirPartsTogether) {
  const auto message = Answer()
                           .add(16, "\5hello")
                           .add(5, std::string_view("\1b\7example\0", 11))
                           .add(16, "\3one\3two")
                           .message();
  EXPECT_THAT(texts_in(message), Optional(ElementsAre("hello", "onetwo")));
  EXPECT_THAT(addresses_in(message), Optional(IsEmpty()));
}

TEST(DnsAnswer, GivesAddressesOfBothFamilies) {
  const auto message = Answer()
                           .add(1, std::string_view("\x7f\0\0\1", 4))
                           .add(28, std::string(15, '\0') + '\1')
                           .message();
  EXPECT_THAT(addresses_in(message),
              Optional(ElementsAre(*parse_ip("127.0.0.1"), *parse_ip("::1"))));
}

TEST(DnsAnswer, HeedsNoOtherClass) {
  EXPECT_THAT(texts_in(Answer().add(16, "\5hello", 3).message()), Optional(IsEmpty()));
}

TEST(DnsAnswer, RefusesWhatIsDamaged) {
  EXPECT_FALSE(texts_in({}));
  EXPECT_FALSE(texts_in(Answer().add(16, "\6hello").message()));  // longer than its record
  EXPECT_FALSE(addresses_in(Answer().add(1, "abc").message()));
  auto cut = Answer().add(16, "\5hello").message();
  cut.pop_back();
  EXPECT_FALSE(texts_in(cut));
}

TEST(DnsServer, IsAnAddressWithOrWithoutAPort) {
  EXPECT_EQ(parse_dns_server("127.0.0.53")->port, 53);
  const auto other = parse_dns_server("10.0.0.1:5353");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->port, 5353);
  EXPECT_EQ(other->address.text(), "10.0.0.1");
  for (const char* bad :
       {"", "dns.example", "::1", "127.0.0.1:0", "127.0.0.1:x", "127.0.0.1:70000"})
    EXPECT_FALSE(parse_dns_server(bad)) << bad;
}

}  // namespace
}  // namespace carrel::net
