// Errors are values: a code from the catalogue (errors.inc), what happened, and what to do about
// it.
//
// The code's text may be shown to anybody. The message and the help are for the log and for the
// owner of what failed; they are never sent to a client of a guest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace carrel {

enum class Code : std::uint16_t {
#define CARREL_ERROR(name, number, status, text) name = number,
#include "base/errors.inc"
#undef CARREL_ERROR
};

std::string_view code_name(Code code);  // "guest_trapped"
std::string_view code_text(Code code);  // one sentence, without a full stop
int http_status(Code code);

// Value type; moves cheaply enough for the failing path.
class Error {
 public:
  explicit Error(Code code, std::string message = {}, std::string help = {})
      : code_(code), message_(std::move(message)), help_(std::move(help)) {}

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& help() const { return help_; }

  // The same error seen from further out: "cannot load module \"x\": <message>".
  Error within(std::string_view context) &&;

  // "message\n  help   ...": what the command line prints.
  std::string describe() const;

 private:
  Code code_;
  std::string message_;
  std::string help_;
};

}  // namespace carrel
