#include "server/guest_log.h"

#include <fmt/format.h>

#include "observe/json_line.h"

namespace carrel::server {
namespace {

constexpr std::size_t kMaxLine = 4096;  // bytes

class JsonGuestLog final : public turn::GuestLog {
 public:
  explicit JsonGuestLog(observe::Log& log) : log_(log) {}

  void line(const turn::ModuleSetup& module, std::uint64_t turn, std::string_view text) override {
    log_.write(observe::Level::info, "guest_stderr",
               {{"id", observe::HexId{turn}},
                {"tenant", module.tenant.str()},
                {"app", module.app.str()},
                {"module", module.name.str()},
                {"text", observe::shorten(text, kMaxLine)}});
  }

 private:
  observe::Log& log_;
};

class TextGuestLog final : public turn::GuestLog {
 public:
  explicit TextGuestLog(std::shared_ptr<observe::LineWriter> writer) : writer_(std::move(writer)) {}

  void line(const turn::ModuleSetup& module, std::uint64_t, std::string_view text) override {
    writer_->write(fmt::format("{} | {}", observe::printable(module.name.str()),
                               observe::printable(observe::shorten(text, kMaxLine))));
  }

 private:
  std::shared_ptr<observe::LineWriter> writer_;
};

class TailedGuestLog final : public turn::GuestLog {
 public:
  TailedGuestLog(std::unique_ptr<turn::GuestLog> log, api::LogTail& tail, const Clock& clock)
      : log_(std::move(log)), tail_(tail), clock_(clock) {}

  void line(const turn::ModuleSetup& module, std::uint64_t turn, std::string_view text) override {
    log_->line(module, turn, text);
    tail_.add({.time = clock_.wall(),
               .tenant = module.tenant,
               .app = module.app,
               .module = module.name,
               .turn = turn,
               .text = std::string(text.substr(0, kMaxLine))});
  }

 private:
  std::unique_ptr<turn::GuestLog> log_;
  api::LogTail& tail_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<turn::GuestLog> json_guest_log(observe::Log& log) {
  return std::make_unique<JsonGuestLog>(log);
}

std::unique_ptr<turn::GuestLog> tailed_guest_log(std::unique_ptr<turn::GuestLog> log,
                                                 api::LogTail& tail, const Clock& clock) {
  return std::make_unique<TailedGuestLog>(std::move(log), tail, clock);
}

std::unique_ptr<turn::GuestLog> text_guest_log(std::shared_ptr<observe::LineWriter> writer) {
  return std::make_unique<TextGuestLog>(std::move(writer));
}

}  // namespace carrel::server
