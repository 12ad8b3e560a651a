// An application that was opened: from its folder, with its hook points and the code of its
// modules, or at a local server's socket.
//
// A folder is read once and not needed any more. Nothing in it can change anything: a module that
// may write, or call the outside, needs a server.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <vector>

#include "base/clock.h"
#include "embed/failure.h"
#include "embed/functions.h"
#include "embed/local_server.h"
#include "patterns/hook/point.h"
#include "runtime/loader.h"

namespace carrel::embed {

// Where lines go that are for the modules' owners, as carrel_open was told.
struct LogTo {
  carrel_log call = nullptr;  // null: nowhere
  void* user = nullptr;
};

// Owner: its handle and the calls in progress. Thread-safe.
class Application {
 public:
  // Blocks while modules are compiled. Errors: those of the manifest and of all modules together;
  // needs_server.
  static Outcome<std::shared_ptr<Application>> open(const std::filesystem::path& folder,
                                                    runtime::Loader& loader, const LogTo& log);

  static std::shared_ptr<Application> at(LocalServer::Place place);

  const std::shared_ptr<const hook::App>& hooks() const { return hooks_; }  // null: at a server
  const LocalServer* server() const { return server_.get(); }               // null: from a folder
  FunctionTable& functions() { return *functions_; }

  // A line of JSON about a module, or about the application.
  void tell(const turn::ModuleSetup& module, std::uint64_t call, std::string_view event,
            std::string_view text) const;

  // Counts a call in progress. False: none may begin any more.
  bool begin_call();
  void end_call();

  // From now on no call begins. Whether those in progress have ended by then.
  bool drain(Instant until);

 private:
  std::shared_ptr<const hook::App> hooks_;
  std::unique_ptr<const LocalServer> server_;
  std::shared_ptr<FunctionTable> functions_ = std::make_shared<FunctionTable>();
  LogTo log_;
  std::vector<std::shared_ptr<const wasm::Module>> code_;  // stays mapped

  std::atomic<std::size_t> calls_ = 0;
  std::atomic<bool> draining_ = false;
  std::mutex mutex_;
  std::condition_variable ended_;
};

}  // namespace carrel::embed
