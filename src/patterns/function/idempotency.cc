#include "patterns/function/idempotency.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "turn/kept_body.h"

namespace carrel::function {
namespace {

using Json = nlohmann::json;

constexpr auto kKeptFor = std::chrono::hours(24);
const store::Place kReplies{.kind = store::Kind::reply, .store = ""};

// The record: MessagePack of {"f": fingerprint, "s": status, "h": [[name, value]], "b": body}, and
// with trailers "t": [[name, value]].
std::string encode(const std::string& fingerprint, const turn::HeldReply& reply) {
  const std::string_view body = reply.body.memory();
  Json json = {{"f", fingerprint},
               {"s", reply.head.status},
               {"h", reply.head.headers},
               {"b", Json::binary(std::vector<std::uint8_t>(body.begin(), body.end()))}};
  if (!reply.trailers.empty()) json["t"] = reply.trailers;
  std::string bytes;
  Json::to_msgpack(json, bytes);
  return bytes;
}

struct Stored {
  std::string fingerprint;
  net::ReplyHead head;
  std::string body;
  net::Fields trailers;
};

std::optional<net::Fields> fields_of(const Json& list) {
  net::Fields fields;
  for (const Json& field : list) {
    if (!field.is_array() || field.size() != 2 || !field[0].is_string() || !field[1].is_string()) {
      return {};
    }
    fields.emplace_back(field[0], field[1]);
  }
  return fields;
}

// The record is ours, but the disk it comes from may lie.
std::optional<Stored> decode(const std::string& bytes) {
  const Json json = Json::from_msgpack(bytes, true, false);
  if (!json.is_object() || json.size() != 4U + json.count("t")) return {};
  const auto is = [&](const char* key, Json::value_t type) {
    return json.contains(key) && json[key].type() == type;
  };
  if (!is("f", Json::value_t::string) || !is("s", Json::value_t::number_unsigned) ||
      !is("h", Json::value_t::array) || !is("b", Json::value_t::binary)) {
    return {};
  }
  if (json.contains("t") && !is("t", Json::value_t::array)) return {};
  auto headers = fields_of(json["h"]);
  auto trailers = json.contains("t") ? fields_of(json["t"]) : net::Fields();
  if (!headers || !trailers) return {};
  const auto& body = json["b"].get_binary();
  return Stored{.fingerprint = json["f"],
                .head = {.status = json["s"], .headers = std::move(*headers)},
                .body = std::string(body.begin(), body.end()),
                .trailers = std::move(*trailers)};
}

async::Task<Result<void>> read_all(turn::KeptBody& body) {
  std::array<std::byte, 16 << 10> piece;
  while (!body.finished()) {
    if (body.read(piece) > 0 || body.finished()) continue;
    CARREL_CO_TRY_VOID(co_await body.wait());
  }
  co_return Result<void>();
}

// No header has a line break: it keeps apart what is joined.
std::optional<std::string> key_of_event(const net::Request& request) {
  const std::string_view source = request.header("ce-source"), id = request.header("ce-id");
  if (source.empty() || id.empty() || request.header("ce-specversion").empty()) return {};
  return fmt::format("cloudevent\n{}\n{}\n{}", source, id, request.header("authorization"));
}

}  // namespace

std::optional<Result<std::string>> idempotency_key(const net::Request& request,
                                                   const turn::ModuleSetup& module) {
  if (!module.grants.gated() || request.method == "GET" || request.method == "HEAD") return {};
  std::string_view key = request.header("idempotency-key");
  if (key.empty()) return key_of_event(request);
  if (key.size() >= 2 && key.front() == '"' && key.back() == '"') {
    key = key.substr(1, key.size() - 2);
  }
  if (key.empty() || key.size() > kMaxIdempotencyKey) {
    return fail(Code::bad_request, fmt::format("an Idempotency-Key has 1 to {} bytes; this has {}",
                                               kMaxIdempotencyKey, key.size()));
  }
  return std::string(key);
}

Idempotency::Idempotency(const ModuleName& module, std::string_view key,
                         const net::Request& request)
    : name_(sha256_hex(fmt::format("{}\n{}", module.str(), key))), request_(request) {}

async::Task<Result<std::optional<turn::HeldReply>>> Idempotency::before(turn::State& state) {
  std::string body_digest;
  if (state.body != nullptr) {
    CARREL_CO_TRY_VOID(co_await read_all(*state.body));
    body_digest = sha256_hex(state.body->kept());
    if (!state.body->rewind()) {
      co_return fail(
          Code::body_too_large,
          fmt::format("a request with an Idempotency-Key has at most {} bytes", turn::kMostKept));
    }
  }
  fingerprint_ = sha256_hex(fmt::format("{}\n{}\n{}\n{}", request_.method, request_.target,
                                        request_.header("authorization"), body_digest));

  CARREL_CO_TRY(const store::Record* const found, co_await state.transaction.read(kReplies, name_));
  if (found == nullptr) co_return std::optional<turn::HeldReply>();

  auto stored = decode(found->bytes);
  if (!stored)
    co_return fail(Code::data_corrupt, "a reply kept for its Idempotency-Key is damaged");
  if (stored->fingerprint != fingerprint_) {
    co_return fail(Code::idempotency_mismatch, "the key came with another request before");
  }
  turn::HeldReply reply{.head = std::move(stored->head), .trailers = std::move(stored->trailers)};
  reply.head.headers.emplace_back("idempotency-replayed", "true");
  CARREL_CO_TRY_VOID(reply.body.append(stored->body));
  co_return std::optional(std::move(reply));
}

async::Task<Result<void>> Idempotency::after(turn::State& state, const turn::HeldReply& reply) {
  store::Record record{.expires = store::milliseconds(system_clock().wall() + kKeptFor)};
  if (!reply.body.spilled()) {
    record.bytes = encode(fingerprint_, reply);
  }
  if (reply.body.spilled() || record.bytes.size() > store::kMaxValue) {
    co_return fail(Code::guest_bad_reply,
                   "the reply is too large to be kept for its Idempotency-Key (1 MiB)");
  }
  co_return state.transaction.put(kReplies, name_, std::move(record));
}

}  // namespace carrel::function
