// Hooks' modules that failed, in the log: each failure as that of any turn, and who is parked.
#pragma once

#include "observe/log.h"
#include "patterns/function/handler.h"
#include "patterns/hook/invoker.h"

namespace carrel::server {

// Owner: the logs. Thread: any shard's.
class HookReports final : public hook::Reports {
 public:
  HookReports(observe::Log& log, function::FailureLog& failures) : log_(log), failures_(failures) {}

  void failed(const turn::ModuleSetup& module, std::uint64_t id, const Error& error,
              const wasm::Outcome& guest) override;
  void parked(const hook::Point& point, const hook::Binding& binding, Nanos how_long) override;
  void disabled(const hook::Point& point, const hook::Binding& binding,
                std::string_view why) override;
  void died(const hook::Lane& lane, const delivery::Item& item) override;

 private:
  observe::Log& log_;
  function::FailureLog& failures_;
};

}  // namespace carrel::server
