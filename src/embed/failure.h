// What the application is told when something failed: a name, texts, and details as JSON.
//
// Names are those of the error catalogue, and a few that only a process with libcarrel can meet.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"
#include "patterns/hook/invoker.h"

namespace carrel::embed {

inline constexpr std::string_view kClosed = "closed";
inline constexpr std::string_view kReopen = "reopen";
inline constexpr std::string_view kNeedsServer = "needs_server";
inline constexpr std::string_view kTooDeep = "too_deep";
inline constexpr std::string_view kLate = "late";
inline constexpr std::string_view kWouldDeadlock = "would_deadlock";

// Value type.
struct Failure {
  std::string code, message, help;
  std::string details = "{}";  // JSON

  Failure(std::string_view name, std::string text, std::string what_to_do = {})
      : code(name), message(std::move(text)), help(std::move(what_to_do)) {}
  Failure(const Error& error);  // NOLINT(google-explicit-constructor): so that CARREL_TRY passes it
};

template <typename T = void>
using Outcome = std::expected<T, Failure>;

inline std::unexpected<Failure> failed(std::string_view name, std::string text,
                                       std::string what_to_do = {}) {
  return std::unexpected(Failure(name, std::move(text), std::move(what_to_do)));
}

// Of a call that has an error.
Failure failure_of(const hook::Invocation& made);

}  // namespace carrel::embed
