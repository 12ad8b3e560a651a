#include "server/faults.h"

#include <fmt/format.h>

namespace carrel::server {

Error Faults::error() const {
  std::string text = fmt::format("cannot serve {}", where_.string());
  if (errors_.size() == 1) {
    return Error(errors_[0].code(), fmt::format("{}: {}", text, errors_[0].message()),
                 errors_[0].help());
  }
  text += fmt::format(": {} problems", errors_.size());
  for (const Error& each : errors_) {
    text += "\n  " + each.message();
    if (!each.help().empty()) text += fmt::format("\n    help   {}", each.help());
  }
  return Error(errors_[0].code(), text);
}

}  // namespace carrel::server
