#include "capability/application/call_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/digest.h"
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

Io<std::size_t> CallFile::write(wasi::IoContext& io, wasi::ConstBuffers from) {
  if (called_) return wasi::fail(Errno::pipe);
  std::size_t size = 0;
  for (const auto piece : from) size += piece.size();
  const std::size_t room = turn::kMaxArgument - input_.size();
  if (size > 0 && room == 0) return wasi::fail(Errno::fbig);
  size = std::min(size, room);
  if (!io.charge_memory(static_cast<std::int64_t>(size))) return wasi::fail(Errno::dquot);
  const std::size_t end = input_.size() + size;
  for (const auto piece : from) {
    const std::size_t n = std::min(piece.size(), end - input_.size());
    input_.append(reinterpret_cast<const char*>(piece.data()), n);
  }
  return size;
}

Io<std::size_t> CallFile::read(wasi::IoContext& io, wasi::Buffers into) {
  if (!output_) {
    if (called_) return wasi::fail(Errno::io);  // who waited for it has given up
    io.wait_for(call());
    return wasi::fail(Errno::again);
  }
  if (failure_ != Errno::success) return wasi::fail(failure_);
  if (!std::exchange(charged_, true) &&
      !io.charge_memory(static_cast<std::int64_t>(output_->size()))) {
    output_->clear();
    failure_ = Errno::dquot;
    return wasi::fail(failure_);
  }
  std::size_t moved = 0;
  for (const auto piece : into) {
    const std::size_t n = std::min(piece.size(), output_->size() - read_);
    std::memcpy(piece.data(), output_->data() + read_, n);
    read_ += n;
    moved += n;
  }
  return moved;
}

// The guest is suspended meanwhile, so this runs on the stack of the thread.
Task<void> CallFile::call() {
  if (std::exchange(called_, true)) co_return;
  const bool outside = turn_.state != nullptr && turn_.module.functions->outside();
  Outcome answer = co_await (outside ? ask_outside() : ask());
  if (!answer) {
    failure_ = answer.error().number;
    tell(turn_, fmt::format("/app/{}: {}", name_, answer.error().why));
  }
  output_ = answer ? std::move(*answer) : std::string();
  input_ = {};
}

std::optional<std::string> CallFile::check_input() const {
  const auto problems = document::problems_in(input_, kLimits, function_->schema.get());
  if (problems.empty()) return {};
  return "its input: " + document::text_of(problems);
}

// By the rule for all outside calls: what was read is durable before, and a run after a lost
// conflict is given what the first one was.
Task<CallFile::Outcome> CallFile::ask_outside() {
  turn::CallRecord& calls = turn_.state->calls;
  std::string request = sha256_hex(fmt::format("/app/{}\n{}", name_, input_));
  std::shared_ptr<const turn::RecordedCall> had;
  if (!calls.diverged()) had = calls.replay(request);
  if (calls.diverged())
    co_return std::unexpected(Refused{Errno::io, "the turn asks for something else now"});
  if (had && had->failed) {
    co_return std::unexpected(
        Refused{static_cast<Errno>(had->failure), "it failed in an earlier run of the turn"});
  }
  if (had) co_return had->body;
  const auto record = calls.begin(std::move(request));
  Outcome outcome = std::unexpected(Refused{Errno::io, "what the turn has read was lost"});
  if (auto durable = co_await turn::wait_until_durable(turn_)) outcome = co_await ask();
  record->complete = true;
  record->failed = !outcome;
  if (outcome) {
    calls.keep(*record, *outcome);
  } else {
    record->failure = static_cast<int>(outcome.error().number);
  }
  co_return outcome;
}

Task<CallFile::Outcome> CallFile::ask() {
  if (!turn_.module.functions->take(name_, *function_))
    co_return std::unexpected(Refused{Errno::dquot, "it is called more often than its rate"});
  if (auto wrong = check_input())  // which takes time that the guest does not pay for
    co_return std::unexpected(Refused{Errno::io, std::move(*wrong)});
  auto answer = co_await function_->call(&turn_, &input_);
  if (!answer) co_return std::unexpected(Refused{Errno::io, std::move(answer).error()});
  if (auto json = document::check_json(*answer, kLimits); !json)
    co_return std::unexpected(Refused{Errno::io, "its answer: " + json.error().message()});
  co_return std::move(*answer);
}

}  // namespace carrel::capability::application
