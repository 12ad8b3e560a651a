#include "embed/function_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "async/first_of.h"
#include "document/json_text.h"
#include "embed/call.h"
#include "embed/world.h"

namespace carrel::embed {
namespace {

using async::Task;
using std::chrono::steady_clock;
using wasi::Errno;
using wasi::Io;

constexpr document::JsonLimits kLimits{.bytes = kMaxArgument, .depth = hook::kMaxDepth};

// How often one binding calls one function: at most its rate, in bursts of a second's worth.
struct Bucket {
  double left = -1;  // not used yet
  Instant at{};

  bool take(unsigned rate) {
    const Instant now = steady_clock::now();
    if (left < 0) {
      left = rate;
    } else {
      left = std::min<double>(rate, left + std::chrono::duration<double>(now - at).count() * rate);
    }
    at = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  }
};

Task<void> wait_for(async::Event* event) { co_await *event; }

// A call of the application while somebody waits for it.
class Underway {
 public:
  Underway(FunctionCalls& calls, const CallHere& here) : calls_(calls) {
    call_->depth = here.depth;
    call_->context = here.context;
    id_ = calls_.begin(call_);
  }
  ~Underway() {
    calls_.end(id_);
    const std::lock_guard lock(call_->mutex);
    call_->over = true;
  }
  Underway(const Underway&) = delete;
  Underway& operator=(const Underway&) = delete;

  carrel_function_call id() const { return id_; }
  async::Event& answered() { return call_->answered; }
  // False: the answer is there.
  bool must_wait(async::Shard& shard) {
    const std::lock_guard lock(call_->mutex);
    if (call_->answer) return false;
    call_->waiting = &shard;
    return true;
  }
  std::optional<FunctionCalls::Answer> take() {
    const std::lock_guard lock(call_->mutex);
    return std::move(call_->answer);
  }

 private:
  FunctionCalls& calls_;
  std::shared_ptr<FunctionCalls::Call> call_ = std::make_shared<FunctionCalls::Call>();
  carrel_function_call id_ = 0;
};

wasi::FileStat file_stat() { return {.inode = 2, .type = wasi::FileType::character}; }
wasi::FileStat folder_stat() { return {.inode = 1, .type = wasi::FileType::folder}; }

// One call: what is written is its input; the first read calls.
class CallFile final : public wasi::OpenFile {
 public:
  CallFile(std::string name, std::shared_ptr<const Function> function)
      : name_(std::move(name)), function_(std::move(function)) {}

  Io<wasi::FileStat> stat(wasi::IoContext&) override { return file_stat(); }

  Io<std::size_t> write(wasi::IoContext&, wasi::ConstBuffers from) override {
    if (called_) return wasi::fail(Errno::pipe);
    std::size_t moved = 0;
    for (const auto piece : from) {
      if (piece.size() > kMaxArgument - input_.size()) {
        if (moved > 0) return moved;
        return wasi::fail(Errno::fbig);
      }
      input_.append(reinterpret_cast<const char*>(piece.data()), piece.size());
      moved += piece.size();
    }
    return moved;
  }

  Io<std::size_t> read(wasi::IoContext& io, wasi::Buffers into) override {
    if (!output_) {
      io.wait_for(call());
      return wasi::fail(Errno::again);
    }
    if (failed_) return wasi::fail(Errno::io);
    std::size_t moved = 0;
    for (const auto piece : into) {
      const std::size_t n = std::min(piece.size(), output_->size() - read_);
      std::memcpy(piece.data(), output_->data() + read_, n);
      read_ += n;
      moved += n;
    }
    return moved;
  }

 private:
  // Between two slices of the guest, so on the stack of the thread.
  Task<void> call() {
    if (std::exchange(called_, true)) co_return;
    const CallHere here = *call_here();
    auto answer = check_input();
    if (answer) answer = co_await ask(here);
    failed_ = !answer;
    if (failed_) here.application->tell(fmt::format("/app/{}: {}", name_, answer.error()));
    output_ = answer ? std::move(*answer) : std::string();
  }

  FunctionCalls::Answer check_input() const {
    if (auto json = document::check_json(input_, kLimits); !json)
      return std::unexpected("its input: " + json.error().message());
    if (!function_->schema) return {};
    const auto problems = function_->schema->check(input_);
    if (problems.empty()) return {};
    return std::unexpected("its input: " + document::text_of(problems));
  }

  Task<FunctionCalls::Answer> ask(CallHere here) {
    const Instant begin = steady_clock::now();
    Underway underway(World::here().function_calls(), here);
    if (auto thrown = run(underway.id())) co_return std::unexpected(std::move(*thrown));
    if (underway.must_wait(*here.shard)) {
      if (function_->longest == Nanos::max()) {
        co_await underway.answered();
      } else {
        co_await async::first_of(wait_for(&underway.answered()),
                                 here.shard->sleep_until(begin + function_->longest));
      }
    }
    auto answer = underway.take();
    if (!answer) co_return std::unexpected("it did not answer in time");
    if (!*answer) co_return std::move(*answer);
    if (auto json = document::check_json(**answer, kLimits); !json)
      co_return std::unexpected("its answer: " + json.error().message());
    co_return std::move(*answer);
  }

  // What it threw, as an application in C++ may.
  std::optional<std::string> run(carrel_function_call id) {
    try {
      function_->call(function_->user, id, input_.c_str(), input_.size());
      return {};
    } catch (const std::exception& thrown) {
      return std::string("it threw: ") + thrown.what();
    } catch (...) {
      return "it threw";
    }
  }

  std::string name_;
  std::shared_ptr<const Function> function_;
  std::string input_;
  std::optional<std::string> output_;
  std::size_t read_ = 0;
  bool called_ = false, failed_ = false;
};

class Folder final : public wasi::OpenFile {
 public:
  explicit Folder(std::vector<std::string> names) : names_(std::move(names)) {}
  Io<wasi::FileStat> stat(wasi::IoContext&) override { return folder_stat(); }
  Io<std::vector<wasi::DirEntry>> list(wasi::IoContext&, std::uint64_t cookie,
                                       std::size_t max) override {
    std::vector<wasi::DirEntry> entries;
    for (std::size_t i = cookie; i < names_.size() && entries.size() < max; ++i) {
      entries.push_back(
          {.next = i + 1, .inode = file_stat().inode, .type = file_stat().type, .name = names_[i]});
    }
    return entries;
  }

 private:
  std::vector<std::string> names_;
};

class FunctionNode final : public wasi::Node {
 public:
  FunctionNode(std::shared_ptr<const FunctionTable> functions, std::vector<std::string> names)
      : functions_(std::move(functions)), names_(std::move(names)) {}

  Io<std::unique_ptr<wasi::OpenFile>> open(wasi::IoContext&, std::string_view path,
                                           const wasi::OpenHow& how) override {
    if (path.empty()) {
      if (how.write) return wasi::fail(Errno::isdir);
      return std::make_unique<Folder>(provided());
    }
    auto function = look_up(path);
    if (!function) return wasi::fail(how.create ? Errno::acces : Errno::noent);
    if (how.folder) return wasi::fail(Errno::notdir);
    if (how.create && how.exclusive) return wasi::fail(Errno::exist);
    if (!how.read || !how.write) return wasi::fail(Errno::inval);  // half a call is none
    if (!take(path, function->rate)) return wasi::fail(Errno::dquot);
    return std::make_unique<CallFile>(std::string(path), std::move(function));
  }

  Io<wasi::FileStat> stat(wasi::IoContext&, std::string_view path, bool) override {
    if (path.empty()) return folder_stat();
    if (!look_up(path)) return wasi::fail(Errno::noent);
    return file_stat();
  }

 private:
  std::shared_ptr<const Function> look_up(std::string_view path) const {
    if (std::ranges::find(names_, path) == names_.end()) return nullptr;
    return functions_->find(path);
  }
  std::vector<std::string> provided() const {
    std::vector<std::string> there;
    for (const std::string& name : names_) {
      if (functions_->find(name)) there.push_back(name);
    }
    return there;
  }
  bool take(std::string_view name, unsigned rate) {
    const std::lock_guard lock(mutex_);
    auto bucket = buckets_.find(name);
    if (bucket == buckets_.end()) bucket = buckets_.emplace(std::string(name), Bucket()).first;
    return bucket->second.take(rate);
  }

  std::shared_ptr<const FunctionTable> functions_;
  std::vector<std::string> names_;
  std::mutex mutex_;
  std::map<std::string, Bucket, std::less<>> buckets_;
};

}  // namespace

std::shared_ptr<wasi::Node> mount_functions(std::shared_ptr<const FunctionTable> functions,
                                            std::vector<std::string> names) {
  return std::make_shared<FunctionNode>(std::move(functions), std::move(names));
}

}  // namespace carrel::embed
