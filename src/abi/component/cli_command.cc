#include "abi/component/cli_command.h"

#include <algorithm>

#include "abi/cgi_environment.h"
#include "abi/guest.h"
#include "wasm/component_instance.h"

namespace carrel::abi::component {
namespace {}  // namespace

bool CliCommand::speaks(const Shape& shape) const {
  return std::ranges::any_of(shape.exports, [](const wasm::ExportName& item) {
    return item.type == "instance" &&
           std::ranges::any_of(wasm::kCommandExports,
                               [&](std::string_view each) { return item.name.starts_with(each); });
  });
}

Result<std::unique_ptr<wasm::Linker>> CliCommand::make_linker(
    std::shared_ptr<wasm::Engine> engine) const {
  return wasm::Linker::make_for_components(std::move(engine), wasm::World::command,
                                           wasi::imports());
}

async::Task<turn::Outcome> CliCommand::run(async::Shard& shard, async::RunAccount& account,
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
    wasm::ComponentInstance instance(shard, account, module, &state, limits_of(turn));
    instance.on_leave(send_meanwhile);
    outcome.guest = co_await instance.run();
  }
  settle(turn, wasi, std::move(output), outcome);
  co_return outcome;
}

}  // namespace carrel::abi::component
