#include "cli/line_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <vector>

#include "base/fd.h"

namespace carrel::cli {
namespace {

// All lines of what is in a pipe; "!" for an error at its end.
std::vector<std::string> lines_of(std::string_view text, std::size_t longest = 100) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe(ends.data()), 0);
  const Fd from(ends[0]);
  {
    const Fd to(ends[1]);
    EXPECT_EQ(::write(to.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  LineReader reader(from.get(), longest);
  std::vector<std::string> lines;
  while (true) {
    auto line = reader.next();
    if (!line) lines.emplace_back("!");
    if (!line || !*line) return lines;
    lines.push_back(std::move(**line));
  }
}

TEST(LineReader, GivesEveryLineWithoutItsEnd) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(lines_of(""), Lines{});
  EXPECT_EQ(lines_of("\n"), (Lines{""}));
  EXPECT_EQ(lines_of("a\n\nb"), (Lines{"a", "", "b"}));
  EXPECT_EQ(lines_of("a\nb\n"), (Lines{"a", "b"}));
}

TEST(LineReader, KeepsNoMoreThanItMay) {
  const std::string many(64 << 9, 'x');
  EXPECT_EQ(lines_of("a\n" + many, 100), (std::vector<std::string>{"a", "!"}));
  EXPECT_EQ(lines_of(many, many.size()).size(), 1U);
}

}  // namespace
}  // namespace carrel::cli
