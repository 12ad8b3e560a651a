#include "turn/turn.h"

#include <fmt/format.h>

#include "observe/tracer.h"
#include "turn/functions.h"

namespace carrel::turn {
namespace {

// The innermost frames, which say most.
std::string with_frames(const wasm::Outcome& outcome) {
  constexpr std::size_t kShown = 8;
  std::string text = outcome.trap;
  for (std::size_t i = 0; i < outcome.frames.size() && i < kShown; ++i) {
    const wasm::Frame& frame = outcome.frames[i];
    text += fmt::format("\n    at {} (+{:#x})",
                        frame.function.empty() ? "<unnamed>" : frame.function, frame.offset);
  }
  return text;
}

std::string milliseconds(Nanos duration) {
  return fmt::format("{} ms",
                     std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

void happened(Turn& turn, std::string_view what) {
  if (turn.span != nullptr) turn.span->happened(what);
}

bool needs_state(const ModuleSetup& module) {
  return module.grants.any() || (module.functions != nullptr && module.functions->outside());
}

std::optional<Error> error_of(const wasm::Outcome& outcome) {
  using End = wasm::Outcome::End;
  switch (outcome.end) {
    case End::returned:
      return std::nullopt;
    case End::exited:
      if (outcome.exit_code == 0) return std::nullopt;
      return Error(Code::guest_exited, fmt::format("exit status {}", outcome.exit_code));
    case End::trapped:
    case End::aborted:
      return Error(Code::guest_trapped, with_frames(outcome));
    case End::refused:
      return Error(Code::guest_trapped, outcome.trap);
    case End::cpu_limit:
      return Error(Code::guest_cpu_limit,
                   fmt::format("stopped after {} of CPU time", milliseconds(outcome.cpu)),
                   "raise limits.cpu of the module if it needs more");
    case End::deadline:
      return Error(Code::guest_timeout, "stopped at its deadline",
                   "raise limits.time of the module if it needs longer");
    case End::bad_reply:
      return Error(Code::guest_bad_reply, outcome.trap);
    case End::bad_request:
      return Error(Code::bad_request, outcome.trap);
  }
  return Error(Code::internal);
}

}  // namespace carrel::turn
