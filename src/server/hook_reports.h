// Hooks' modules that failed, in the log: each failure as that of any turn, and who is parked.
#pragma once

#include "observe/log.h"
#include "patterns/function/handler.h"
#include "patterns/hook/invoker.h"
#include "patterns/hook/recordings.h"

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
  void recorded(const hook::Binding& binding, hook::Recording&& recording) override {
    recordings_.add(binding.module.tenant, binding.own_name, std::move(recording));
  }

  hook::Recordings& recordings() { return recordings_; }

 private:
  observe::Log& log_;
  function::FailureLog& failures_;
  hook::Recordings recordings_;
};

}  // namespace carrel::server
