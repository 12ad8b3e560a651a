#include "document/quick_json.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/utf8.h"

namespace carrel::document {
namespace {

// The names of one object: a few are compared as they come, many are sorted at the end.
class Names {
 public:
  // False: it is there already.
  bool add(std::string_view name) {
    if (count_ == few_.size()) {
      if (many_.empty()) {
        for (const Name& each : few_) many_.emplace_back(each.data, each.size);
      }
      many_.push_back(name);
      return true;
    }
    const std::uint64_t mark = mark_of(name);
    if ((marks_ & mark) != 0) {
      for (std::size_t i = 0; i < count_; ++i) {
        if (std::string_view(few_[i].data, few_[i].size) == name) return false;
      }
    }
    marks_ |= mark;
    few_[count_++] = {name.data(), name.size()};
    return true;
  }
  bool are_distinct() {
    if (many_.empty()) return true;
    std::ranges::sort(many_);
    return std::ranges::adjacent_find(many_) == many_.end();
  }

 private:
  struct Name {
    const char* data;
    std::size_t size;
  };
  // Equal names have the same of 64 bits, others seldom do.
  static std::uint64_t mark_of(std::string_view name) {
    if (name.empty()) return 1;
    const auto first = static_cast<unsigned char>(name.front()),
               last = static_cast<unsigned char>(name.back());
    return 1ULL << ((name.size() * 7 + first * 3U + last * 5U) % 64);
  }

  std::array<Name, 16> few_;  // not set beyond `count_`
  std::size_t count_ = 0;
  std::uint64_t marks_ = 0;
  std::vector<std::string_view> many_;  // all of them, once they are more than that
};

// The bytes of a text that do not stand for themselves in a string of it: quotes, backslashes,
// controls, and what is no ASCII. Found in 64 bytes at once, so that where one string ends does not
// have to be known before the next is looked for.
class Marks {
 public:
  explicit Marks(std::string_view text) : block_(text.data()), end_(block_ + text.size()) {
    look();
  }

  // The first from `at` on, which never decreases; or the end.
  const char* next(const char* at) {
    for (;;) {
      const auto from = static_cast<std::size_t>(at - block_);
      if (from < kBlock) {
        if (const std::uint64_t left = marks_ >> from; left != 0)
          return at + std::countr_zero(left);
        at = block_ + kBlock;
      }
      block_ += kBlock;
      if (block_ >= end_) return end_;
      look();
    }
  }

 private:
  static constexpr std::ptrdiff_t kBlock = 64;

  void look() {
    using Bytes = signed char __attribute__((ext_vector_type(kBlock)));
    using Bits = bool __attribute__((ext_vector_type(kBlock)));
    Bytes bytes = 0;  // after the end: one that is marked
    if (end_ - block_ >= kBlock) {
      std::memcpy(&bytes, block_, kBlock);
    } else {
      std::memcpy(&bytes, block_, static_cast<std::size_t>(end_ - block_));
    }
    const auto marked = (bytes < ' ') | (bytes == '"') | (bytes == '\\');
    marks_ = std::bit_cast<std::uint64_t>(__builtin_convertvector(marked, Bits));
  }

  const char* block_;
  const char* end_;
  std::uint64_t marks_ = 0;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Each look begins at `at`, and gives the place after what it looked at; null: look thoroughly.
class Look {
 public:
  explicit Look(std::string_view text) : marks_(text), end_(text.data() + text.size()) {}

  // NOLINTNEXTLINE(misc-no-recursion): as deep as `depth` at most
  [[gnu::always_inline]] const char* value(const char* at, std::size_t depth) {
    at = after_spaces(at);
    if (is(at, '"')) return string(at + 1, nullptr);
    if (is(at, '{')) return depth > 0 ? object(at + 1, depth - 1) : nullptr;
    if (is(at, '[')) return depth > 0 ? array(at + 1, depth - 1) : nullptr;
    if (at != end_ && (*at == '-' || is_digit(*at))) return number(at);
    for (const std::string_view word : {"true", "false", "null"}) {
      if (std::string_view(at, end_).starts_with(word)) return at + word.size();
    }
    return nullptr;
  }
  const char* after_spaces(const char* at) const {
    if (at != end_ && *at > ' ') [[likely]]
      return at;
    while (at != end_ && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) ++at;
    return at;
  }

 private:
  bool is(const char* at, char c) const { return at != end_ && *at == c; }

  // NOLINTNEXTLINE(misc-no-recursion): of values
  [[gnu::noinline]] const char* object(const char* at, std::size_t depth) {
    at = after_spaces(at);
    if (is(at, '}')) return at + 1;
    for (Names names;; at = after_spaces(at + 1)) {
      if (!is(at, '"')) return nullptr;
      const char* const name = at + 1;
      bool escaped = false;  // then it may be the same as one that is not
      at = string(name, &escaped);
      if (at == nullptr || escaped || !names.add({name, at - 1})) return nullptr;
      at = after_spaces(at);
      if (!is(at, ':')) return nullptr;
      at = value(at + 1, depth);
      if (at == nullptr) return nullptr;
      at = after_spaces(at);
      if (is(at, '}')) return names.are_distinct() ? at + 1 : nullptr;
      if (!is(at, ',')) return nullptr;
    }
  }
  // NOLINTNEXTLINE(misc-no-recursion): of values
  [[gnu::noinline]] const char* array(const char* at, std::size_t depth) {
    at = after_spaces(at);
    if (is(at, ']')) return at + 1;
    for (;; ++at) {
      at = value(at, depth);
      if (at == nullptr) return nullptr;
      at = after_spaces(at);
      if (is(at, ']')) return at + 1;
      if (!is(at, ',')) return nullptr;
    }
  }

  // After its first quote.
  [[gnu::always_inline]] const char* string(const char* at, bool* escaped) {
    for (;;) {
      at = marks_.next(at);
      if (at == end_) return nullptr;
      if (*at == '"') return at + 1;
      if (*at == '\\') {
        if (escaped != nullptr) *escaped = true;
        at = escape(at + 1);
        if (at == nullptr) return nullptr;
      } else {
        const std::size_t size = utf8_sequence({at, end_});
        if (size <= 1) return nullptr;  // none, or a control
        at += size;
      }
    }
  }
  const char* escape(const char* at) const {
    if (at == end_) return nullptr;
    if (*at != 'u') return std::string_view("\"\\/bfnrt").contains(*at) ? at + 1 : nullptr;
    const int unit = hex4(at + 1);
    if (unit < 0xd800 || unit > 0xdfff) return unit >= 0 ? at + 5 : nullptr;
    if (unit > 0xdbff || end_ - at < 7 || at[5] != '\\' || at[6] != 'u') return nullptr;
    const int low = hex4(at + 7);
    return low >= 0xdc00 && low <= 0xdfff ? at + 11 : nullptr;
  }
  // -1: these are not four digits.
  int hex4(const char* at) const {
    if (end_ - at < 4) return -1;
    int value = 0;
    for (int i = 0; i < 4; ++i) {
      const char lower = static_cast<char>(at[i] | 0x20);
      if (is_digit(at[i])) {
        value = value * 16 + (at[i] - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        value = value * 16 + (lower - 'a' + 10);
      } else {
        return -1;
      }
    }
    return value;
  }

  const char* digits(const char* at) const {
    while (at != end_ && is_digit(*at)) ++at;
    return at;
  }
  // One that may be too large for a double is for the thorough look.
  const char* number(const char* at) const {
    constexpr std::ptrdiff_t kMostDigits = 200, kMostOfExponent = 2;
    if (is(at, '-')) ++at;
    const char* end = digits(at);
    if (end == at || end - at > kMostDigits || (*at == '0' && end - at > 1)) return nullptr;
    if (is(end, '.')) {
      at = end + 1;
      end = digits(at);
      if (end == at) return nullptr;
    }
    if (!is(end, 'e') && !is(end, 'E')) return end;
    at = end + 1;
    if (is(at, '-') || is(at, '+')) ++at;
    end = digits(at);
    return end != at && end - at <= kMostOfExponent ? end : nullptr;
  }

  Marks marks_;
  const char* end_;
};

}  // namespace

bool is_surely_json(std::string_view text, std::size_t depth) {
  Look look(text);
  const char* const at = look.value(text.data(), depth);
  return at != nullptr && look.after_spaces(at) == text.data() + text.size();
}

}  // namespace carrel::document
