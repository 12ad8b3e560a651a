#include "base/error.h"

#include <fmt/format.h>

namespace carrel {
namespace {

struct Entry {
  std::string_view name;
  std::string_view text;
  int status;
};

Entry entry(Code code) {
  switch (code) {
#define CARREL_ERROR(name, number, status, text) \
  case Code::name:                               \
    return {#name, text, status};
#include "base/errors.inc"
#undef CARREL_ERROR
  }
  return {"internal", "Something went wrong inside Carrel", 500};
}

}  // namespace

std::string_view code_name(Code code) { return entry(code).name; }
std::string_view code_text(Code code) { return entry(code).text; }
int http_status(Code code) { return entry(code).status; }

Error Error::within(std::string_view context) && {
  message_ = message_.empty() ? std::string(context) : fmt::format("{}: {}", context, message_);
  return std::move(*this);
}

std::string Error::describe() const {
  std::string text = message_.empty() ? std::string(code_text(code_)) : message_;
  if (!help_.empty()) text += fmt::format("\n  help     {}", help_);
  return text;
}

}  // namespace carrel
