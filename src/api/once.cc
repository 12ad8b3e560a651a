// Creations that a client may ask for again: `commit_once`.
#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "api/call.h"
#include "api/step.h"
#include "base/digest.h"
#include "store/record.h"
#include "store/sealer.h"

namespace carrel::api {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr auto kKeptFor = std::chrono::hours(24);
constexpr std::size_t kMaxKey = 255;  // bytes
const store::Place kReplies{.kind = store::Kind::reply, .store = "api"};

// Looks for the answer before the step, and keeps it after.
class Once final : public Step {
 public:
  Once(AnsweringStep* step, std::string name, std::string fingerprint)
      : step_(*step), name_(std::move(name)), fingerprint_(std::move(fingerprint)) {}

  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(const store::Record* const kept, co_await transaction.read(kReplies, name_));
    if (kept != nullptr) co_return give(kept->bytes);
    CARREL_CO_TRY_VOID(co_await step_.run(transaction));
    const Json json = {{"f", fingerprint_},
                       {"s", step_.answer.head.status},
                       {"h", step_.answer.head.headers},
                       {"b", step_.answer.body}};
    const auto until = step_.call->clock.wall() + kKeptFor;
    co_return transaction.put(
        kReplies, name_,
        {.bytes = step_.call->services.sealer->seal(tenant::kNode, name_, json.dump()),
         .expires = store::milliseconds(until)});
  }

 private:
  Result<void> give(std::string_view sealed) {
    CARREL_TRY(const SecretBytes text,
               step_.call->services.sealer->open(tenant::kNode, name_, sealed));
    const Json json = Json::parse(text.view(), nullptr, false);
    if (!json.is_object() || !json.contains("f") || !json.contains("s") || !json.contains("h") ||
        !json.contains("b")) {
      return fail(Code::data_corrupt, "an answer kept for its Idempotency-Key is damaged");
    }
    if (json["f"] != fingerprint_)
      return fail(Code::idempotency_mismatch, "the key came with another request before");
    step_.answer = {.head = {.status = json["s"], .headers = json["h"]}, .body = json["b"]};
    step_.answer.head.headers.emplace_back("idempotency-replayed", "true");
    return {};
  }

  AnsweringStep& step_;
  std::string name_, fingerprint_;
};

}  // namespace

Task<Result<Answer>> commit_once(Call* call, TenantName tenant, store::TransactionLimits limits,
                                 std::string body, AnsweringStep* step) {
  std::string_view key = call->request().header("idempotency-key");
  if (key.empty()) co_return co_await commit_answering(call, std::move(tenant), limits, step);
  if (key.size() >= 2 && key.front() == '"' && key.back() == '"')
    key = key.substr(1, key.size() - 2);
  if (key.empty() || key.size() > kMaxKey)
    co_return fail(Code::invalid_argument,
                   fmt::format("an Idempotency-Key has 1 to {} bytes", kMaxKey));
  Once once(step, sha256_hex(fmt::format("{}\n{}", call->principal.id, key)),
            sha256_hex(fmt::format("{}\n{}\n{}", call->operation.id, call->request().target,
                                   sha256_hex(body))));
  CARREL_CO_TRY_VOID(co_await commit(call->services, std::move(tenant), limits, &once));
  co_return std::move(step->answer);
}

}  // namespace carrel::api
