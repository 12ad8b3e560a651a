// Lazy<T>: a value that is made when it is first asked for, which may be never.
//
// Owner: whoever holds it. Thread: one. What `make` refers to outlives the first look.
#pragma once

#include <concepts>
#include <functional>
#include <utility>

namespace carrel {

template <typename T>
class Lazy {
 public:
  Lazy() = default;
  // `make` should fit into a pointer or two: then it takes no memory of its own.
  template <std::invocable Make>
  Lazy(Make make) : make_(std::move(make)) {}

  T& operator*() {
    if (make_) value_ = std::exchange(make_, nullptr)();
    return value_;
  }
  T* operator->() { return &**this; }

 private:
  T value_{};
  std::function<T()> make_;
};

}  // namespace carrel
