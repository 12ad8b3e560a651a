// One turn outside a server: the same runtime, the same rules, no sockets.
//
// `carrel invoke` and `carrel test` put events to modules here and get back what the outside would
// see, and what only the inside knows.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/case.h"
#include "app/manifest.h"
#include "base/result.h"
#include "cli/engine_room.h"
#include "net/http.h"
#include "runtime/runtime.h"
#include "turn/turn.h"

namespace carrel::cli {

struct TurnResult {
  net::ReplyHead head;  // for a failed turn: problem details, as a client would get them
  std::string body;
  wasm::Outcome guest;
  std::optional<Error> error;
  std::string log;  // standard error, line by line
  Nanos wall{};
};

// How the event's body arrives.
enum class BodyPace : unsigned char { at_once, byte_by_byte };

// Owner: the command. Thread: the caller's, which runs the turns. Stops: nothing runs between two
// calls.
class TurnBench {
 public:
  // `state` is the --state option. Errors: those of open_engine_room.
  static Result<std::unique_ptr<TurnBench>> make(const std::string& state);

  // Checks, compiles and runs. `app` gives routes and assets; null for a module alone.
  // Errors: what stands in the way of a turn: the module, its folders. A turn that failed is a
  // result.
  Result<TurnResult> run(const app::Module& module, const app::Manifest* app,
                         const app::CaseEvent& event, BodyPace pace = BodyPace::at_once);

 private:
  explicit TurnBench(EngineRoom room);
  Result<turn::ModuleSetup> setup_of(const app::Module& module, const app::Manifest* app);
  Result<std::shared_ptr<wasi::Node>> folder(const std::filesystem::path& path);

  EngineRoom room_;
  runtime::Loader loader_;
  async::Shard shard_;
  turn::Services services_;
  runtime::Runtime runtime_;
  std::map<std::filesystem::path, std::shared_ptr<wasi::Node>> folders_;  // read once
  std::uint64_t turns_ = 0;
};

// The module that a request for this event would reach, by the app's routes, or the app's only
// module. Errors: not_found, saying which modules there are.
Result<const app::Module*> module_for(const app::Manifest& app, const app::CaseEvent& event);

}  // namespace carrel::cli
