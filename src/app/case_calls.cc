#include "app/case_calls.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace carrel::app {
namespace {

constexpr std::size_t kMaxBody = 1 << 20;

struct Failure {
  std::string_view name;
  Code code;
};

constexpr std::array kFailures = {
    Failure{"address", Code::egress_address},   Failure{"bad_response", Code::egress_bad_response},
    Failure{"closed", Code::egress_closed},     Failure{"name", Code::egress_name},
    Failure{"refused", Code::egress_refused},   Failure{"timeout", Code::egress_timeout},
    Failure{"tls", Code::egress_tls},           Failure{"too_large", Code::egress_too_large},
    Failure{"unreachable", Code::egress_failed}};

void read_error(TableReader& table, CaseCall& call) {
  const auto name = table.text("error");
  if (!name) return;
  const auto* const found = std::ranges::find(kFailures, *name, &Failure::name);
  if (found != kFailures.end()) {
    call.error = found->code;
    return;
  }
  std::string names;
  for (const Failure& failure : kFailures) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", failure.name);
  }
  table.problem("error",
                fmt::format("{} is no error of a call; there are {}", in_quotes(*name), names));
}

void read_reply(TableReader& table, CaseCall& call) {
  const TomlValue* const value = table.table("reply");
  if ((value != nullptr) == table.has("error")) {
    table.problem("reply", fmt::format("{} needs one of `reply`, `error`", table.where()));
  }
  if (value == nullptr) return;
  TableReader reply(*value, "`reply` of " + table.where(), table.problems());
  if (const auto status = reply.integer("status", {200, 599})) {
    call.reply.status = static_cast<int>(*status);
  }
  call.reply.headers = reply.pairs("headers");
  call.reply_body = reply.bytes("body", kMaxBody).value_or("");
  reply.finish();
}

}  // namespace

std::string_view failure_name(Code code) {
  const auto* const found = std::ranges::find(kFailures, code, &Failure::code);
  return found == kFailures.end() ? std::string_view() : found->name;
}

CaseCall read_call(TableReader& table) {
  CaseCall call;
  if (auto method = table.text("method", 32)) call.method = std::move(*method);
  if (const auto text = table.required_text("url", net::kMaxUrl)) {
    auto url = net::parse_url(*text);
    if (url) {
      call.url = std::move(*url);
    } else {
      table.problem("url", fmt::format("{}: {}", in_quotes(*text), url.error().message()));
    }
  }
  call.headers = table.pairs("headers");
  call.body = table.bytes("body", kMaxBody);
  read_error(table, call);
  read_reply(table, call);
  table.finish();
  return call;
}

}  // namespace carrel::app
