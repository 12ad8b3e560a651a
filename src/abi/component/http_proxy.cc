#include "abi/component/http_proxy.h"

#include <algorithm>

#include "abi/guest.h"
#include "wasm/component_instance.h"

namespace carrel::abi::component {
namespace {

constexpr std::string_view kNowhere = "localhost";  // for a request of HTTP/1.0 without a host

net::Fields copy_of(std::span<const wasm::Field> fields) {
  net::Fields copy;
  copy.reserve(fields.size());
  for (const wasm::Field& field : fields) copy.emplace_back(field.name, field.value);
  return copy;
}

std::vector<wasm::Field> fields_of(std::span<const net::Header> headers) {
  std::vector<wasm::Field> fields;
  fields.reserve(headers.size());
  for (const net::Header& header : headers) {
    fields.push_back({.name = header.name, .value = header.value});
  }
  return fields;
}

class Exchange final : public wasm::HttpExchange {
 public:
  Exchange(const net::Request& request, ReplyOutput& output) : request_(request), output_(output) {}
  void head(int status, std::span<const wasm::Field> fields) override {
    output_.give_head({.status = status, .headers = copy_of(fields)});
  }
  void trailers(std::span<const wasm::Field> fields) override {
    output_.give_trailers(copy_of(fields));
  }
  std::vector<wasm::Field> request_trailers() override { return fields_of(request_.trailers); }

 private:
  const net::Request& request_;
  ReplyOutput& output_;
};

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
  environment.variables = [&turn] { return variables_of(turn); };
  wasi::Wasi wasi(shard, turn.clock, std::move(environment));
  {
    GuestState state{.wasi = &wasi, .output = output.get()};
    Exchange exchange(request, *output);
    const std::vector<wasm::Field> fields = fields_of(request.headers);
    wasm::ComponentInstance instance(shard, account, module, &state, limits_of(turn));
    instance.on_leave(send_meanwhile);
    outcome.guest =
        co_await instance.handle({.method = request.method,
                                  .scheme = request.scheme,
                                  .authority = request.host.empty() ? kNowhere : request.host,
                                  .target = request.target,
                                  .fields = fields,
                                  .has_body = turn.event.body != nullptr,
                                  .exchange = &exchange,
                                  .kept = std::move(turn.instance),
                                  .keep = turn.module.reuse != nullptr});
    if (outcome.guest.ok()) outcome.instance = instance.take_kept();
  }
  settle(turn, wasi, std::move(output), outcome);
  co_return outcome;
}

}  // namespace carrel::abi::component
