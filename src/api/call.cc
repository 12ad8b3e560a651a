#include "api/call.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/access.h"
#include "api/authenticator.h"
#include "api/body.h"
#include "wasi/names.h"

namespace carrel::api {

std::string_view Call::raw(std::string_view parameter) const {
  const auto found = std::ranges::find(parameters, parameter, &Parameter::name);
  return found == parameters.end() ? std::string_view() : found->text;
}

Result<std::string> Call::text(std::string_view parameter) const {
  auto decoded = wasi::decode_name(raw(parameter));
  if (decoded) return std::move(*decoded);
  return fail(Code::invalid_argument, fmt::format("{} is not percent-encoded", parameter));
}

async::Task<Result<void>> Call::still_allowed() const {
  CARREL_CO_TRY(const auto now,
                co_await authenticator.identify(&exchange.request, services, &clock));
  co_return authorise(*access_of(operation.id), now, tenant);
}

std::uint64_t Call::storage() const {
  const auto* const deployed = node.deployed();
  auto most = deployed == nullptr ? std::nullopt : deployed->storage_of(tenant);
  const auto info = node.info();
  for (const AppInfo& app : info->apps) {
    if (app.tenant == tenant.str()) most = std::max(most.value_or(0), app.storage);
  }
  return most.value_or(UINT64_MAX);
}

async::Task<Result<Body>> read_object(Call* call, std::size_t most) {
  Body body;
  CARREL_CO_TRY(body.text, co_await read_body(&call->exchange.body, most));
  body.json = nlohmann::json::parse(body.text, nullptr, false);
  if (!body.json.is_object()) co_return fail(Code::invalid_argument, "the body is a JSON object");
  co_return body;
}

}  // namespace carrel::api
