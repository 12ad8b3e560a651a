#include "server/failure_log.h"

namespace carrel::server {
namespace {

class LoggedFailures final : public function::FailureLog {
 public:
  LoggedFailures(observe::Log& log, api::LogTail& tail, const Clock& clock)
      : log_(log), tail_(tail), clock_(clock) {}

  void failed(const turn::ModuleSetup& module, std::uint64_t id, const Error& error,
              const wasm::Outcome& guest) override {
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(guest.cpu).count();
    log_.write(level_of(error.code()), "turn_failed",
               {{"id", observe::HexId{id}},
                {"tenant", module.tenant.str()},
                {"app", module.app.str()},
                {"module", module.name.str()},
                {"code", code_name(error.code())},
                {"message", error.message()},
                {"help", error.help()},
                {"cpu_micros", static_cast<std::uint64_t>(micros)},
                {"memory_peak", guest.memory_peak}});
    tail_.add({.kind = api::LogLine::Kind::failed,
               .time = clock_.wall(),
               .tenant = module.tenant,
               .app = module.app,
               .module = module.name,
               .turn = id,
               .code = std::string(code_name(error.code())),
               .text = error.message()});
  }

 private:
  // A client that left, or was too fast, is not the function's fault.
  static observe::Level level_of(Code code) {
    const bool by_client = http_status(code) < 500;
    return by_client ? observe::Level::info : observe::Level::error;
  }

  observe::Log& log_;
  api::LogTail& tail_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<function::FailureLog> make_failure_log(observe::Log& log, api::LogTail& tail,
                                                       const Clock& clock) {
  return std::make_unique<LoggedFailures>(log, tail, clock);
}

}  // namespace carrel::server
