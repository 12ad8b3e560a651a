#include "api/call.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/body.h"
#include "wasi/names.h"

namespace carrel::api {
namespace {

constexpr std::size_t kMostBody = 64 << 10;

}  // namespace

std::string_view Call::raw(std::string_view parameter) const {
  const auto found = std::ranges::find(parameters, parameter, &Parameter::name);
  return found == parameters.end() ? std::string_view() : found->text;
}

Result<std::string> Call::text(std::string_view parameter) const {
  auto decoded = wasi::decode_name(raw(parameter));
  if (decoded) return std::move(*decoded);
  return fail(Code::invalid_argument, fmt::format("{} is not percent-encoded", parameter));
}

async::Task<Result<nlohmann::json>> read_object(Call* call) {
  CARREL_CO_TRY(const std::string text, co_await read_body(&call->exchange.body, kMostBody));
  nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) co_return fail(Code::invalid_argument, "the body is a JSON object");
  co_return json;
}

}  // namespace carrel::api
