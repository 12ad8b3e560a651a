// A table by names, for thousands of them.
//
// It is immutable to its readers. A change makes another table that shares all but what changed, so
// that it costs the same however many names there are.
#pragma once

#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <memory>
#include <string>
#include <string_view>

namespace carrel {

// Value type, cheap to copy.
template <typename T>
class NameTable {
 public:
  using Value = std::shared_ptr<const T>;

  // Null: there is none of that name. Valid as long as the table.
  const Value* find(std::string_view name) const {
    const auto& bucket = buckets_[bucket_of(name)];
    if (bucket == nullptr) return nullptr;
    const auto found = bucket->find(name);
    return found == bucket->end() ? nullptr : &found->second;
  }

  void set(std::string_view name, Value value) {
    auto& bucket = buckets_[bucket_of(name)];
    auto changed =
        bucket == nullptr ? std::make_shared<Bucket>() : std::make_shared<Bucket>(*bucket);
    changed->insert_or_assign(std::string(name), std::move(value));
    bucket = std::move(changed);
  }

  void remove(std::string_view name) {
    auto& bucket = buckets_[bucket_of(name)];
    if (bucket == nullptr || !bucket->contains(name)) return;
    auto changed = std::make_shared<Bucket>(*bucket);
    changed->erase(name);
    bucket = std::move(changed);
  }

  // In no order.
  template <typename Visit>
  void each(Visit visit) const {
    for (const auto& bucket : buckets_) {
      if (bucket == nullptr) continue;
      for (const auto& [name, value] : *bucket) visit(name, value);
    }
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  using Bucket = boost::unordered_flat_map<std::string, Value, Hash, std::equal_to<>>;
  static constexpr std::size_t kBuckets = 256;
  static std::size_t bucket_of(std::string_view name) { return Hash()(name) % kBuckets; }

  std::array<std::shared_ptr<const Bucket>, kBuckets> buckets_;  // null: empty
};

}  // namespace carrel
