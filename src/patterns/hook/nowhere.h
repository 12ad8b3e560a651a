// Where the answer goes that a module gives to an event: nobody waits for it.
#pragma once

#include "net/http.h"

namespace carrel::hook {

class Nowhere final : public net::ReplySink {
 public:
  bool started() const override { return started_; }
  async::Task<Result<void>> send(net::ReplyHead, std::string_view) override { return done(); }
  async::Task<Result<void>> start(net::ReplyHead, std::optional<std::uint64_t>) override {
    return done();
  }
  async::Task<Result<void>> write(std::string_view) override { return done(); }
  async::Task<Result<void>> finish() override { return done(); }
  void abort() override {}

 private:
  async::Task<Result<void>> done() {
    started_ = true;
    co_return Result<void>();
  }
  bool started_ = false;
};

}  // namespace carrel::hook
