// A call of a hook point on the calling thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "embed/application.h"
#include "embed/core.h"
#include "embed/reply.h"

namespace carrel::embed {

// Whether the application has counted the call already.
enum class Begun : std::uint8_t { here, before };

struct CallWanted {
  std::string_view point, input;
  std::string_view tenant = {};  // empty: all
  Nanos timeout{};               // zero: the point's own
  unsigned depth = 0;            // of the call that it is part of, where the thread does not tell
  void* context = nullptr;       // the application's
  Begun begun = Begun::here;
};

// The call that a thread is inside of.
struct CallHere {
  Application* application;
  async::Shard* shard;
  unsigned depth;  // 1: nobody's function has made it
  void* context;   // the application's
};
const CallHere* call_here();  // null: none

// Errors: not_found, invalid_argument, closed, overloaded, too_deep; those of the invocation, or of
// the server.
Outcome<Reply> call(Core& core, const std::shared_ptr<Application>& application,
                    const CallWanted& wanted);

// Tells a point of an event. Errors: needs_server, closed, overloaded; those of the server.
Outcome<Reply> emit(Core& core, const std::shared_ptr<Application>& application,
                    const CallWanted& wanted);

// {"app", "points"}. Errors: closed, overloaded; those of the server.
Outcome<Reply> points(Core& core, const std::shared_ptr<Application>& application);

// Whether this thread is inside a call of the application.
bool inside_call_of(const Application& application);

}  // namespace carrel::embed
