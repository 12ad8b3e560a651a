// Problems of a file that people write: all of them at once, each with its place and what to do.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace carrel::app {

// A place in a text, from 1. Line 0: the file as a whole.
struct Position {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

// Value type; one a file. Keeps the first hundred and counts the rest.
class Problems {
 public:
  explicit Problems(std::string file) : file_(std::move(file)) {}

  void add(Position at, std::string what);
  bool empty() const { return found_.empty(); }

  // invalid_config; a line a problem, in the order of the file: "carrel.toml:12:3: unknown key
  // ...".
  Error error() const;

 private:
  struct Problem {
    Position at;
    std::string what;
  };
  std::string file_;
  std::vector<Problem> found_;  // in the order of the file
  std::size_t dropped_ = 0;
};

// The candidate that `word` was probably meant to be, or empty if none is close.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// "; did you mean "x"?", or "; known are a, b, c", or nothing if there are no candidates.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

// Somebody's text inside one of our lines: quoted, cut short, without control characters.
std::string in_quotes(std::string_view text);

}  // namespace carrel::app
