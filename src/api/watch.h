// A watch: changes of a store's values as server-sent events, as they become durable.
//
// "put" and "delete" name a value and the commit; "gap" says that changes were missed, and to list
// the store again.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "api/event_stream.h"
#include "async/task.h"
#include "store/store.h"
#include "turn/state.h"

namespace carrel::api {

// Owner: who streams. Thread: its shard's.
class Changes final : public EventSource {
 public:
  using StillAllowed = std::function<async::Task<Result<void>>()>;
  Changes(store::Watch watch, turn::OutputGate& gate, StillAllowed allowed)
      : watch_(std::move(watch)), gate_(gate), allowed_(std::move(allowed)) {}

  async::Event& news() override { return watch_.news(); }
  async::Task<std::vector<std::string>> take() override;
  async::Task<Result<void>> still_allowed() override { return allowed_(); }

 private:
  store::Watch watch_;
  turn::OutputGate& gate_;
  StillAllowed allowed_;
};

}  // namespace carrel::api
