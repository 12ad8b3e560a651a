#include "api/backup.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "api/audit.h"
#include "api/body.h"
#include "api/call.h"
#include "api/step.h"

namespace carrel::api {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr std::size_t kMostBody = 16 << 10;

struct Entry final : Step {
  Entry(Call* c, Json t) : call(c), target(std::move(t)) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    co_return record(transaction, *call, tenant::kNode, {"store", Json(), target});
  }
  Call* call;
  Json target;
};

// The entry comes first, so that whatever was copied away is known.
Task<Result<Answer>> answer_to(Call* call) {
  CARREL_CO_TRY(const std::string text, co_await read_body(&call->exchange.body, kMostBody));
  CARREL_CO_TRY(const std::string folder, read_backup_folder(text));
  Entry entry(call, {{"folder", folder}});
  CARREL_CO_TRY_VOID(co_await commit(call->services, tenant::kNode, {}, &entry));
  store::ShardStore& store = *call->services.store;
  CARREL_CO_TRY_VOID(co_await store.store().backup(store.shard(), folder));
  Answer answer = json_answer({{"folder", folder}});
  answer.head.status = 201;
  co_return answer;
}

}  // namespace

Result<std::string> read_backup_folder(std::string_view body) {
  constexpr std::string_view kHelp = R"(send {"folder": "/backup/monday"})";
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || json.size() != 1 || !json.contains("folder") ||
      !json["folder"].is_string()) {
    return fail(Code::invalid_argument, fmt::format("the body names no folder: {}", kHelp));
  }
  auto folder = json["folder"].get<std::string>();
  if (!folder.starts_with('/') || folder.contains('\0')) {
    return fail(Code::invalid_argument, "the folder is an absolute path on the node's machine");
  }
  return folder;
}

// Its errors are for who operates the node, whichever they are.
Task<Result<Answer>> back_up(Call* call) {
  auto answer = co_await answer_to(call);
  if (!answer) co_return explained_problem(answer.error(), call->exchange.id);
  co_return std::move(*answer);
}

}  // namespace carrel::api
