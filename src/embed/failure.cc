#include "embed/failure.h"

#include "patterns/hook/report.h"

namespace carrel::embed {

Failure::Failure(const Error& error)
    : code(code_name(error.code())),
      message(error.message().empty() ? std::string(code_text(error.code())) : error.message()),
      help(error.help()) {}

Failure failure_of(const hook::Invocation& made) {
  Failure failure(*made.error);
  failure.details = hook::failure_text(made);
  return failure;
}

}  // namespace carrel::embed
