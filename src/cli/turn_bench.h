// One turn outside a server: the same runtime, the same rules, no sockets.
//
// `carrel invoke` and `carrel test` put events to modules here and get back what the outside would
// see, and what only the inside knows. Each turn has a store of its own, empty but for what is set
// before, unless the bench was made with one that is kept.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "app/case.h"
#include "app/manifest.h"
#include "base/node_key.h"
#include "base/result.h"
#include "cli/engine_room.h"
#include "cli/turn_store.h"
#include "net/client.h"
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
  FoundState after;                  // of the effects that were asked for
  app::CaseEffects left;             // what the turn's store held, if that was asked for,
  std::vector<app::CaseCall> calls;  // and the calls it made
  std::vector<std::string> unexpected_calls, missing_calls;  // of those that were expected
};

// How the event's body arrives.
enum class BodyPace : unsigned char { at_once, byte_by_byte };

struct TurnInput {
  const app::Module& module;
  const app::Manifest* app = nullptr;  // gives routes and assets; null for a module alone
  const app::CaseEvent& event;
  BodyPace pace = BodyPace::at_once;
  store::Reach looks = store::Reach::memory;  // where it looks first; not in a store that is kept
  const app::CaseState* before = nullptr;     // what is stored; null: nothing
  const app::CaseEffects* effects = nullptr;  // what to look for afterwards; null: nothing
  const std::vector<app::CaseCall>* calls = nullptr;  // to the outside; null: see `allow_calls`
  std::size_t record = 0;  // how much of the store to bring back, in names; 0: no calls either
};

// Owner: the command. Thread: the caller's, which runs the turns. Stops: nothing runs between two
// calls.
class TurnBench {
 public:
  // `state` is the --state option. Errors: those of open_engine_room.
  static Result<std::unique_ptr<TurnBench>> make(const std::string& state);
  // With a store that is kept in this folder. Errors: those of the node's key as well.
  static Result<std::unique_ptr<TurnBench>> make(const std::string& state,
                                                 std::filesystem::path store);

  // Turns whose calls are not expected may make them; else they make none.
  void allow_calls(net::ClientOptions options);

  // Checks, compiles and runs.
  // Errors: what stands in the way of a turn: the module, its folders, the store. A turn that
  // failed is a result.
  Result<TurnResult> run(const TurnInput& input);

 private:
  struct Kept {
    std::filesystem::path folder;
    NodeKey key;
  };
  explicit TurnBench(EngineRoom room);
  // Null: the turn has nothing to do with state.
  Result<std::unique_ptr<TurnStore>> store_for(const turn::ModuleSetup& setup,
                                               const TurnInput& input, const Clock& clock);
  Result<turn::ModuleSetup> setup_of(const app::Module& module, const app::Manifest* app);
  Result<std::shared_ptr<wasi::Node>> folder(const std::filesystem::path& path);

  EngineRoom room_;
  runtime::Loader loader_;
  async::Shard shard_;
  std::optional<Kept> kept_;
  std::optional<net::Client> client_;
  turn::Services services_;  // during a turn
  runtime::Runtime runtime_;
  std::map<std::filesystem::path, std::shared_ptr<wasi::Node>> folders_;  // read once
  std::uint64_t turns_ = 0;
};

// The module that a request for this event would reach, by the app's routes, or the app's only
// module. Errors: not_found, saying which modules there are.
Result<const app::Module*> module_for(const app::Manifest& app, const app::CaseEvent& event);

}  // namespace carrel::cli
