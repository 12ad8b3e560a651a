#include "api/backup.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "api/body.h"

namespace carrel::api {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr std::size_t kMostBody = 16 << 10;

Task<Result<Answer>> back_up(store::ShardStore* store, net::RequestBody* body) {
  CARREL_CO_TRY(const std::string text, co_await read_body(body, kMostBody));
  CARREL_CO_TRY(const std::string folder, read_backup_folder(text));
  CARREL_CO_TRY_VOID(co_await store->store().backup(store->shard(), folder));
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

Task<Answer> answer_backup(turn::Services services, net::Exchange* exchange) {
  if (exchange->request.method != "POST") {
    Answer refusal = problem(Error(Code::method_not_allowed), exchange->id);
    refusal.head.headers.emplace_back("allow", "POST");
    co_return refusal;
  }
  if (services.store == nullptr) co_return problem(Error(Code::unavailable), exchange->id);
  auto answer = co_await back_up(services.store, &exchange->body);
  if (!answer) co_return explained_problem(answer.error(), exchange->id);
  co_return std::move(*answer);
}

}  // namespace carrel::api
