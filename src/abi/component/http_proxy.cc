#include "abi/component/http_proxy.h"

#include <algorithm>

#include "abi/guest.h"
#include "wasm/component_instance.h"

namespace carrel::abi::component {
namespace {

constexpr std::string_view kNowhere = "localhost";  // for a request of HTTP/1.0 without a host

class Response final : public wasm::ResponseListener {
 public:
  explicit Response(ReplyOutput& output) : output_(output) {}
  void head(int status, std::span<const wasm::Field> fields) override {
    net::ReplyHead head{.status = status};
    head.headers.reserve(fields.size());
    for (const wasm::Field& field : fields) head.headers.emplace_back(field.name, field.value);
    output_.give_head(std::move(head));
  }
  // HTTP/1.1 clients seldom read them, and may not be sent them unasked: they end here.
  void trailers(std::span<const wasm::Field>) override {}

 private:
  ReplyOutput& output_;
};

std::vector<wasm::Field> fields_of(const net::Request& request) {
  std::vector<wasm::Field> fields;
  fields.reserve(request.headers.size());
  for (const net::Header& header : request.headers) {
    fields.push_back({.name = header.name, .value = header.value});
  }
  return fields;
}

// Its configuration, and nothing of the request: that has its own interface.
wasi::Strings variables_of(const turn::Turn& turn) {
  wasi::Strings variables;
  for (const auto& [name, value] : turn.module.environment) variables.add(name, value);
  return variables;
}

}  // namespace

bool HttpProxy::speaks(const Shape& shape) const {
  return std::ranges::any_of(shape.exports, [](const wasm::ExportName& item) {
    return item.type == "instance" &&
           std::ranges::any_of(wasm::kHttpExports,
                               [&](std::string_view each) { return item.name.starts_with(each); });
  });
}

Result<std::unique_ptr<wasm::Linker>> HttpProxy::make_linker(
    std::shared_ptr<wasm::Engine> engine) const {
  return wasm::Linker::make_for_components(std::move(engine), wasm::World::http, wasi::imports());
}

async::Task<turn::Outcome> HttpProxy::run(async::Shard& shard, async::RunAccount& account,
                                          const wasm::Prepared& module, turn::Turn& turn) const {
  turn::Outcome outcome;
  if (turn.event.request == nullptr) {
    outcome.error.emplace(Code::unsupported,
                          "a component of wasi:http/proxy handles requests, and this event is none",
                          "send it a request, or export wasi:cli/run");
    co_return outcome;
  }
  const net::Request& request = *turn.event.request;
  auto output =
      std::make_unique<ReplyOutput>(turn.reply, ReplyForm::given, release_of(turn), turn.state);
  wasi::Environment environment = environment_for(turn, *output);
  environment.variables = variables_of(turn);
  wasi::Wasi wasi(shard, turn.clock, std::move(environment));
  {
    GuestState state{.wasi = &wasi, .output = output.get()};
    Response response(*output);
    const std::vector<wasm::Field> fields = fields_of(request);
    wasm::ComponentInstance instance(shard, account, module, &state, limits_of(turn));
    instance.on_leave(send_meanwhile);
    outcome.guest =
        co_await instance.handle({.method = request.method,
                                  .scheme = request.scheme,
                                  .authority = request.host.empty() ? kNowhere : request.host,
                                  .target = request.target,
                                  .fields = fields,
                                  .has_body = turn.event.body != nullptr,
                                  .listener = &response});
  }
  settle(turn, wasi, std::move(output), outcome);
  co_return outcome;
}

}  // namespace carrel::abi::component
