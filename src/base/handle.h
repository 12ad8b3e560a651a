// Handle<T, free>: unique ownership of an object made by a C library.
#pragma once

#include <memory>

namespace carrel {

template <auto free_fn>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const noexcept {
    free_fn(object);
  }
};

template <typename T, auto free_fn>
using Handle = std::unique_ptr<T, FreeWith<free_fn>>;

}  // namespace carrel
