#include "capability/application/call_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "document/json_text.h"
#include "document/schema.h"
#include "turn/scrub.h"
#include "turn/state.h"

namespace carrel::capability::application {
namespace {

using async::Task;
using wasi::Errno;
using wasi::Io;

constexpr std::size_t kMaxDepth = 64;  // of a document
constexpr document::JsonLimits kLimits{.bytes = turn::kMaxArgument, .depth = kMaxDepth};

void tell(const turn::Turn& turn, std::string text) {
  if (turn.state != nullptr) text = turn::scrub(text, turn.state->told_secrets);
  turn.log.line(turn.module, turn.id, text);
}

}  // namespace

wasi::FileStat call_stat() { return {.inode = 2, .type = wasi::FileType::character}; }

Io<std::size_t> CallFile::write(wasi::IoContext&, wasi::ConstBuffers from) {
  if (called_) return wasi::fail(Errno::pipe);
  std::size_t moved = 0;
  for (const auto piece : from) {
    if (piece.size() > turn::kMaxArgument - input_.size()) {
      if (moved > 0) return moved;
      return wasi::fail(Errno::fbig);
    }
    input_.append(reinterpret_cast<const char*>(piece.data()), piece.size());
    moved += piece.size();
  }
  return moved;
}

Io<std::size_t> CallFile::read(wasi::IoContext& io, wasi::Buffers into) {
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

// Between two slices of the guest, so on the stack of the thread.
Task<void> CallFile::call() {
  if (std::exchange(called_, true)) co_return;
  auto answer = co_await this->answer();
  failed_ = !answer;
  if (failed_) tell(turn_, fmt::format("/app/{}: {}", name_, answer.error()));
  output_ = answer ? std::move(*answer) : std::string();
}

Task<CallFile::Answer> CallFile::answer() {
  if (auto wrong = check_input()) co_return std::unexpected(std::move(*wrong));
  if (turn_.state != nullptr && turn_.module.functions->outside()) co_return co_await ask_outside();
  co_return co_await ask();
}

std::optional<std::string> CallFile::check_input() const {
  if (auto json = document::check_json(input_, kLimits); !json)
    return "its input: " + json.error().message();
  if (!function_->schema) return {};
  const auto problems = function_->schema->check(input_);
  if (problems.empty()) return {};
  return "its input: " + document::text_of(problems);
}

// By the rule for all outside calls: what was read is durable before, and a run after a lost
// conflict is given what the first one was.
Task<CallFile::Answer> CallFile::ask_outside() {
  turn::State& state = *turn_.state;
  const std::string request = fmt::format("/app/{}\n{}", name_, input_);
  std::shared_ptr<const turn::RecordedCall> had;
  if (!state.calls.diverged()) had = state.calls.replay(request);
  if (state.calls.diverged()) co_return std::unexpected("the turn asks for something else now");
  if (had && had->failed) co_return std::unexpected("it failed in an earlier run of the turn");
  if (had) co_return had->body;
  const auto record = state.calls.begin(request);
  Answer answer = std::unexpected("what the turn has read was lost");
  if (auto durable = co_await turn::wait_until_durable(turn_)) answer = co_await ask();
  record->complete = true;
  record->failed = !answer;
  if (answer) state.calls.keep(*record, *answer);
  co_return answer;
}

Task<CallFile::Answer> CallFile::ask() {
  auto answer = co_await function_->call(&turn_, &input_);
  if (!answer) co_return answer;
  if (auto json = document::check_json(*answer, kLimits); !json)
    co_return std::unexpected("its answer: " + json.error().message());
  co_return answer;
}

}  // namespace carrel::capability::application
