#include "abi/guest.h"

#include <algorithm>

#include "abi/standard_files.h"
#include "capability/application/application.h"
#include "capability/blob/blob.h"
#include "capability/counter/counter.h"
#include "capability/event/event_files.h"
#include "capability/http/http.h"
#include "capability/kv/kv.h"
#include "capability/secret/secret.h"
#include "capability/tmp/tmp.h"
#include "tenant/meter.h"

namespace carrel::abi {
namespace {

void mount_state(wasi::Tree& tree, turn::Turn& turn) {
  if (turn.state == nullptr) return;
  if (auto node = capability::kv::mount(turn)) tree.mount("/kv", std::move(node));
  if (auto node = capability::blob::mount(turn)) tree.mount("/blobs", std::move(node));
  if (auto node = capability::counter::mount(turn)) tree.mount("/counters", std::move(node));
  if (auto node = capability::http::mount(turn)) tree.mount("/http", std::move(node));
  if (auto node = capability::secret::mount(turn)) tree.mount("/secrets", std::move(node));
}

wasi::Tree tree_of(turn::Turn& turn) {
  wasi::Tree tree;
  tree.mount("/event", capability::event::event_files(turn));
  tree.mount("/tmp", capability::tmp::mount());
  for (const turn::Mount& mount : turn.module.mounts) tree.mount(mount.path, mount.node);
  if (auto node = capability::application::mount(turn)) tree.mount("/app", std::move(node));
  mount_state(tree, turn);
  return tree;
}

// What the guest's end means for the turn, before the reply is finished.
std::optional<Error> failure_of(const turn::Turn& turn, const wasm::Outcome& guest,
                                const ReplyOutput& output) {
  if (output.failure()) return output.failure();
  if (turn.body_failure) return turn.body_failure;
  return turn::error_of(guest);
}

async::Task<Result<void>> send_rest(std::unique_ptr<ReplyOutput> output) {
  co_return co_await output->finish();
}

}  // namespace

void send_meanwhile(void* state, wasm::Instance::Leave why) noexcept {
  auto& output = *static_cast<GuestState*>(state)->output;
  if (why == wasm::Instance::Leave::waits) {
    output.send_soon();
  } else {
    output.send_if_due();
  }
}

Release release_of(const turn::Turn& turn) {
  if (turn.state == nullptr) return Release::at_once;
  return turn.module.grants.gated() ? Release::after_commit : Release::when_durable;
}

wasi::Environment environment_for(turn::Turn& turn, ReplyOutput& output) {
  wasi::Environment environment;
  environment.tree = [&turn] { return tree_of(turn); };
  environment.preopens.push_back({.name = "/", .path = "/"});
  environment.standard_in = capability::event::open_body(turn);
  environment.standard_out = std::make_unique<OutputFile>(output, turn);
  environment.standard_error = std::make_unique<ErrorFile>(turn);
  environment.max_open_files = turn.module.limits.open_files;
  environment.private_memory = turn.module.limits.private_memory;
  return environment;
}

wasm::CallLimits limits_of(const turn::Turn& turn) {
  const turn::Limits& limits = turn.module.limits;
  return {.memory = limits.memory,
          .cpu = limits.cpu,
          .deadline = std::min(std::chrono::steady_clock::now() + limits.time, turn.deadline),
          .use = turn.use};
}

void settle(const turn::Turn& turn, wasi::Wasi& wasi, std::unique_ptr<ReplyOutput> output,
            turn::Outcome& outcome) {
  if (outcome.guest.ok()) {
    if (auto closed = wasi.close_all(); !closed) {
      outcome.error.emplace(Code::guest_trapped, "a file could not be closed");
    }
  }
  if (!outcome.error) outcome.error = failure_of(turn, outcome.guest, *output);
  if (outcome.error) return;
  if (release_of(turn) != Release::after_commit) {
    outcome.rest = send_rest(std::move(output));
    return;
  }
  auto held = output->take_held();
  if (held) {
    outcome.held = std::move(*held);
  } else {
    outcome.error = std::move(held).error();
  }
}

}  // namespace carrel::abi
