#include "abi/command/command.h"

#include <algorithm>

#include "abi/cgi_environment.h"
#include "abi/guest.h"

namespace carrel::abi::command {
bool Command::speaks(const Shape& shape) const {
  return std::ranges::any_of(shape.exports, [](const wasm::ExportName& item) {
    return item.name == "_start" && item.type.starts_with("func ()");
  });
}

std::span<const wasm::HostFunction> Command::imports() const { return wasi::imports(); }

async::Task<turn::Outcome> Command::run(async::Shard& shard, async::RunAccount& account,
                                        const wasm::Prepared& module, turn::Turn& turn) const {
  turn::Outcome outcome;
  const ReplyForm form = turn.event.request != nullptr ? ReplyForm::cgi : ReplyForm::plain;
  auto output = std::make_unique<ReplyOutput>(turn.reply, form, release_of(turn), turn.state);
  wasi::Environment environment = environment_for(turn, *output);
  environment.arguments = [&turn] { return arguments_of(turn); };
  environment.variables = [&turn] { return environment_of(turn); };
  wasi::Wasi wasi(shard, turn.clock, std::move(environment));
  {
    GuestState state{.wasi = &wasi, .output = output.get()};
    wasm::Instance instance(shard, account, module, &state, limits_of(turn));
    instance.on_leave(send_meanwhile);
    outcome.guest = co_await instance.run(turn.module.entrypoint);
  }
  settle(turn, wasi, std::move(output), outcome);
  co_return outcome;
}

}  // namespace carrel::abi::command
