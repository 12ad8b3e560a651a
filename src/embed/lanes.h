// Lanes: where calls run. Each is a shard with a runtime, which a calling thread borrows for one
// call.
//
// The one given back last is borrowed next: its memory is warm, and no more are made than calls run
// at once.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "async/shard.h"
#include "embed/failure.h"
#include "net/client.h"
#include "patterns/hook/invoker.h"
#include "runtime/runtime.h"
#include "turn/state.h"

namespace carrel::embed {

// Owner: Lanes. Thread: one at a time, who borrowed it.
class Lane final : public turn::GuestLog, public hook::Reports {
 public:
  Lane(unsigned index, runtime::Loader& loader);

  async::Shard& shard() { return shard_; }
  hook::Invoker& invoker() { return invoker_; }
  // Whose calls all go to the Unix socket.
  net::Client& client_of(const std::string& socket);

  void line(const turn::ModuleSetup& module, std::uint64_t turn, std::string_view text) override;
  void failed(const turn::ModuleSetup& module, std::uint64_t id, const Error& error,
              const wasm::Outcome& guest) override;
  void parked(const hook::Point&, const hook::Binding&, Nanos) override {}
  void disabled(const hook::Point&, const hook::Binding&, std::string_view) override {}
  void died(const hook::Lane&, const delivery::Item&) override {}
  void recorded(const hook::Binding&, hook::Recording&&) override {}

 private:
  async::Shard shard_;
  turn::Services services_;  // none: nothing is kept here, nobody is called
  runtime::Runtime runtime_;
  hook::Invoker invoker_;
  std::map<std::string, net::Client> clients_;  // by socket
};

// Owner: the core. Thread-safe.
class Lanes {
 public:
  explicit Lanes(runtime::Loader& loader) : loader_(loader) {}
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  // Given back at its end.
  class [[nodiscard]] Loan {
   public:
    Loan(Lanes& lanes, std::unique_ptr<Lane> lane) : lanes_(lanes), lane_(std::move(lane)) {}
    ~Loan() { lanes_.give_back(std::move(lane_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    Lane* operator->() const { return lane_.get(); }

   private:
    Lanes& lanes_;
    std::unique_ptr<Lane> lane_;
  };

  static constexpr unsigned kMost = 64;

  // Null: as many as may be are lent.
  std::unique_ptr<Lane> borrow();

 private:
  void give_back(std::unique_ptr<Lane> lane);

  runtime::Loader& loader_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Lane>> free_;  // the last was used last
  unsigned made_ = 0;
};

}  // namespace carrel::embed
