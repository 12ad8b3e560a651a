// A list of texts as WASI hands them to a guest: one block, each text ended by NUL.
//
// Made once a turn and copied to the guest as it is. A NUL inside a text ends it early.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace carrel::wasi {

// Value type.
class Strings {
 public:
  Strings() = default;
  explicit Strings(std::size_t bytes) { block_.reserve(bytes); }  // room for so many

  std::uint32_t count() const { return count_; }
  std::string_view block() const { return block_; }  // with every NUL

  void add(std::string_view text) {
    begin(text);
    end();
  }
  void add(std::string_view name, std::string_view value) {
    begin(name);
    append('=');
    append(value);
    end();
  }

  // A text in pieces: begin, append, ..., end.
  void begin(std::string_view text) { append(text); }
  void append(std::string_view text) { block_.append(text.substr(0, text.find('\0'))); }
  void append(char c) {
    if (c != '\0') block_.push_back(c);
  }
  void end() {
    block_.push_back('\0');
    ++count_;
  }

 private:
  std::string block_;
  std::uint32_t count_ = 0;
};

}  // namespace carrel::wasi
