// Result<T>: a value or an Error. The two macros pass an error up; CO_ is for coroutines.
#pragma once

#include <expected>
#include <utility>

#include "base/error.h"

namespace carrel {

template <typename T = void>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Code code, std::string message = {}, std::string help = {}) {
  return std::unexpected(Error(code, std::move(message), std::move(help)));
}

}  // namespace carrel

#define CARREL_JOIN_(a, b) a##b
#define CARREL_JOIN(a, b) CARREL_JOIN_(a, b)

#define CARREL_TRY_(ret, tmp, decl, ...)                 \
  auto tmp = (__VA_ARGS__);                              \
  if (!tmp) ret std::unexpected(std::move(tmp).error()); \
  decl = std::move(*tmp)
#define CARREL_TRY_VOID_(ret, ...)                                         \
  do {                                                                     \
    auto carrel_try_ = (__VA_ARGS__);                                      \
    if (!carrel_try_) ret std::unexpected(std::move(carrel_try_).error()); \
  } while (false)

// CARREL_TRY(auto x, expr): x is expr's value, or the function returns expr's error.
#define CARREL_TRY(decl, ...) \
  CARREL_TRY_(return, CARREL_JOIN(carrel_try_, __COUNTER__), decl, __VA_ARGS__)
#define CARREL_TRY_VOID(...) CARREL_TRY_VOID_(return, __VA_ARGS__)
#define CARREL_CO_TRY(decl, ...) \
  CARREL_TRY_(co_return, CARREL_JOIN(carrel_try_, __COUNTER__), decl, __VA_ARGS__)
#define CARREL_CO_TRY_VOID(...) CARREL_TRY_VOID_(co_return, __VA_ARGS__)
