#include "document/quick_json.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

namespace carrel::document {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

// Where texts are no longer kept in one piece: what is larger is not worth a thread's memory.
constexpr std::size_t kLargest = 1 << 20;

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
    const auto at = [&](std::size_t i) -> std::size_t {
      return static_cast<unsigned char>(name[i]);
    };
    const std::size_t sum = name.size() * 7 + at(0) * 3 + at(name.size() / 2) * 5;
    return 1ULL << ((sum + at(name.size() - 1)) % 64);
  }

  std::array<Name, 16> few_;  // not set beyond `count_`
  std::size_t count_ = 0;
  std::uint64_t marks_ = 0;
  std::vector<std::string_view> many_;  // all of them, once they are more than that
};

// NOLINTNEXTLINE(misc-no-recursion): as deep as `depth` at most
bool is_fine(const element& value, std::size_t depth) {
  switch (value.type()) {
    case simdjson::dom::element_type::ARRAY:
      if (depth == 0) return false;
      for (const element each : simdjson::dom::array(value)) {
        if (!is_fine(each, depth - 1)) return false;
      }
      return true;
    case simdjson::dom::element_type::OBJECT: {
      if (depth == 0) return false;
      Names names;
      for (const auto field : object(value)) {
        if (!names.add(field.key) || !is_fine(field.value, depth - 1)) return false;
      }
      return names.are_distinct();
    }
    default:
      return true;
  }
}

// exit() destroys simdjson's statics while threads may still be at work, libcarrel's and the
// application's. It waits for who has begun by then, and nobody begins any more.
class Use {
 public:
  Use() {
    static const bool follows_simdjson = [] {
      (void)simdjson::get_active_implementation()->name();  // finds it: made before our handler
      return std::atexit(close) == 0;
    }();
    users.fetch_add(1);
    open_ = follows_simdjson && !closed.load();
  }
  ~Use() { users.fetch_sub(1); }
  Use(const Use&) = delete;
  Use& operator=(const Use&) = delete;
  explicit operator bool() const { return open_; }

 private:
  // Not for ever: a child that was forked does not have the threads that it counts.
  static void close() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
    closed.store(true);
    while (users.load() != 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  }

  static inline std::atomic<unsigned> users = 0;
  static inline std::atomic<bool> closed = false;
  bool open_;
};

}  // namespace

bool is_surely_json(std::string_view text, std::size_t depth) {
  if (text.size() > kLargest) return false;
  const Use use;
  if (!use) return false;
  // Its memory serves the next text.
  thread_local simdjson::dom::parser parser(kLargest);
  element value;
  if (parser.parse(text.data(), text.size()).get(value) != simdjson::SUCCESS) return false;
  return is_fine(value, depth);
}

}  // namespace carrel::document
