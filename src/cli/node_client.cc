#include "cli/node_client.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "async/shard.h"
#include "base/files.h"
#include "base/percent.h"
#include "base/secret_bytes.h"
#include "cli/json_text.h"
#include "cli/server_url.h"
#include "cli/state_folder.h"
#include "net/client.h"
#include "server/admin_url.h"

namespace carrel::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMostBytes = 16 << 20;  // of an answer that is not followed
constexpr std::uint64_t kMostToken = 4 << 10;
constexpr std::string_view kUrlFile = "admin.url", kHooksFile = "hooks.url";
constexpr std::size_t kPiece = 16 << 10;
constexpr std::chrono::hours kLongest{24 * 366};  // that an answer is followed
constexpr std::string_view kNoServer =
    "start it with `carrel serve` or `carrel dev`, or name one with --server URL";

std::string option_or_variable(const std::string& option, const char* name) {
  if (!option.empty()) return option;
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

Result<std::string> read_token(const fs::path& file) {
  auto token = read_file(file, kMostToken);
  if (!token) return std::unexpected(std::move(token).error().within("the server's token"));
  while (token->ends_with('\n') || token->ends_with('\r')) token->pop_back();
  return token;
}

std::unexpected<Error> no_server(const fs::path& state) {
  return fail(Code::unavailable,
              fmt::format("no server runs with the state folder {}", state.string()),
              std::string(kNoServer));
}

// Of servers that use a state folder: `carrel serve` in it, `carrel dev` below. Empty: none runs.
std::vector<std::string> urls_in(const fs::path& state, std::string_view file_name) {
  std::vector<fs::path> files = {state / file_name};
  std::error_code none;
  for (const auto& folder : fs::directory_iterator(state / "dev", none)) {
    files.push_back(folder.path() / file_name);
  }
  std::vector<std::string> urls;
  for (const fs::path& file : files) {
    if (auto url = server::AdminUrl::read(file)) urls.push_back(std::move(*url));
  }
  return urls;
}

// The egress policy is for guests: whoever names a server here may call it.
net::EgressPolicy any_address() {
  return {.allowed = {{.base = {}, .bits = 0}, {.base = {.v6 = true}, .bits = 0}}};
}

bool serves(NodeClient& client, std::string_view tenant) {
  // Its own come before those of tenants below it.
  const auto answer = client.call(
      "GET", fmt::format("/v1/apps?limit=1&tenant={}", percent_encode(std::string(tenant))));
  if (!answer) return false;
  const auto json = nlohmann::json::parse(answer->body, nullptr, false);
  if (!json.is_object() || !json.contains("apps")) return false;
  return std::ranges::any_of(
      json["apps"], [tenant](const auto& each) { return text_in(each, "tenant") == tenant; });
}

Code code_named(std::string_view name) {
#define CARREL_ERROR(error, number, status, text) \
  if (name == #error) return Code::error;
#include "base/errors.inc"
#undef CARREL_ERROR
  return Code::unavailable;
}

// The problem details of a refusal.
Error refusal(const std::string& url, const NodeAnswer& answer) {
  const auto json = nlohmann::json::parse(answer.body, nullptr, false);
  const auto field = [&](const char* name) { return text_in(json, name); };
  std::string detail = field("detail").empty() ? field("title") : field("detail");
  if (!field("binding").empty())
    detail = fmt::format("the module bound as {}: {}", field("binding"), detail);
  const std::string what =
      detail.empty() ? fmt::format("{} answered with status {}", url, answer.status) : detail;
  if (field("code") == "quota_exceeded")
    return Error(Code::quota_exceeded, what,
                 "delete some, or allow more: the app's [app] storage, or the tenant's quota");
  switch (answer.status) {
    case 400:
      return Error(Code::invalid_argument, what);
    case 401:
      return Error(
          Code::unauthenticated, fmt::format("{} does not know this token", url),
          "the node's own token is in the file `token` of the server's state folder; name it with "
          "--token-file FILE or --state DIR");
    case 403:
      return Error(
          Code::permission_denied, what,
          "present a token that may do it (`carrel help token`); a server is called by other "
          "names with --admin-host NAME");
    case 404:
      return Error(Code::not_found, what);
    case 413:
      return Error(Code::body_too_large, what);
    default:
      return Error(code_named(field("code")), what);
  }
}

}  // namespace

void add_node_options(CLI::App& app, NodeOptions& options) {
  app.add_option("--server", options.server,
                 "The server's /v1 API (default: CARREL_SERVER, else one that\n"
                 "uses the state folder and serves an app of the tenant)")
      ->type_name("URL");
  add_token_options(app, options);
}

void add_token_options(CLI::App& app, NodeOptions& options) {
  app.add_option("--token-file", options.token_file,
                 "Its token (default: CARREL_TOKEN_FILE, else the state folder's)")
      ->type_name("FILE");
  add_state_option(app, options.state);
}

struct NodeClient::Impl {
  std::string url;
  std::string token;
  async::Shard shard;

  ~Impl() { wipe(token); }

  Result<void> exchange(net::OutgoingRequest request, net::CallLimits limits, int& status,
                        const std::function<bool(std::string_view)>& piece);
  static async::Task<void> run(net::Client* client, net::OutgoingRequest request,
                               net::CallLimits limits, Result<void>* out, int* status,
                               const std::function<bool(std::string_view)>* piece);
};

async::Task<void> NodeClient::Impl::run(net::Client* client, net::OutgoingRequest request,
                                        net::CallLimits limits, Result<void>* out, int* status,
                                        const std::function<bool(std::string_view)>* piece) {
  auto response = co_await client->send(TenantName("carrel"), std::move(request), limits);
  if (!response) {
    *out = std::unexpected(std::move(response).error());
    co_return;
  }
  *status = (*response)->head().status;
  async::ByteSource& body = (*response)->body();
  std::array<std::byte, kPiece> bytes;
  while (!body.finished()) {
    const std::size_t n = body.read(bytes);
    if (n > 0 && !(*piece)({reinterpret_cast<const char*>(bytes.data()), n})) co_return;
    if (n > 0 || body.finished()) continue;
    auto more = co_await body.wait();
    if (more) continue;
    *out = std::unexpected(std::move(more).error());
    co_return;
  }
}

Result<void> NodeClient::Impl::exchange(net::OutgoingRequest request, net::CallLimits limits,
                                        int& status,
                                        const std::function<bool(std::string_view)>& piece) {
  request.headers.emplace_back("authorization", "Bearer " + token);
  net::ClientOptions options{.policy = any_address()};
  if (request.url.scheme == "https") {
    CARREL_TRY(options.tls, net::load_client_tls(""));
  }
  net::Client client(shard, std::move(options));
  Result<void> out;
  shard.run_until_done(run(&client, std::move(request), limits, &out, &status, &piece));
  if (out) return out;
  if (status != 0) return std::unexpected(std::move(out).error().within(url));
  return fail(Code::unavailable,
              fmt::format("no server answers at {}: {}", url, out.error().message()),
              std::string(kNoServer));
}

NodeClient::NodeClient(std::string url, std::string token)
    : impl_(std::make_unique<Impl>(std::move(url), std::move(token))) {
  while (impl_->url.ends_with('/')) impl_->url.pop_back();
}
NodeClient::~NodeClient() = default;

Result<std::unique_ptr<NodeClient>> NodeClient::find(const NodeOptions& options,
                                                     std::string_view tenant) {
  const std::string server = option_or_variable(options.server, "CARREL_SERVER");
  const std::string token_option = option_or_variable(options.token_file, "CARREL_TOKEN_FILE");
  fs::path state;
  if (server.empty() || token_option.empty()) {
    CARREL_TRY(state, state_path(options.state));
  }
  if (!server.empty()) CARREL_TRY_VOID(check_server_url(server));
  const fs::path token_file = token_option.empty() ? state / "token" : fs::path(token_option);
  const auto urls = server.empty() ? urls_in(state, kUrlFile) : std::vector{server};
  if (urls.empty()) return no_server(state);
  CARREL_TRY(const std::string token, read_token(token_file));
  std::unique_ptr<NodeClient> found;
  for (const std::string& url : urls) {
    found = std::make_unique<NodeClient>(url, token);
    if (urls.size() == 1 || serves(*found, tenant)) return found;
  }
  return found;  // it says what is wrong
}

const std::string& NodeClient::url() const { return impl_->url; }

Result<std::unique_ptr<NodeClient>> NodeClient::of_hooks(const NodeOptions& options) {
  const std::string token_option = option_or_variable(options.token_file, "CARREL_TOKEN_FILE");
  CARREL_TRY(const fs::path state, state_path(options.state));
  if (!options.server.empty()) CARREL_TRY_VOID(check_server_url(options.server));
  const auto urls =
      options.server.empty() ? urls_in(state, kHooksFile) : std::vector{options.server};
  if (urls.empty()) {
    return fail(
        Code::unavailable,
        fmt::format("no server with hook points runs with the state folder {}", state.string()),
        "start one with an app that has [[hook]], or name it with --server URL");
  }
  if (urls.size() > 1) {
    return fail(Code::invalid_argument, "several servers with hook points run",
                fmt::format("name one with --server, such as {}", urls.front()));
  }
  CARREL_TRY(const std::string token,
             read_token(token_option.empty() ? state / "token" : fs::path(token_option)));
  if (options.host.empty()) return std::make_unique<NodeClient>(urls.front(), token);
  CARREL_TRY(net::Url url, net::parse_url(urls.front()));
  url.host = options.host;
  return std::make_unique<NodeClient>(fmt::format("{}://{}", url.scheme, url.authority()), token);
}

Result<std::unique_ptr<NodeClient>> NodeClient::of_state(const fs::path& state) {
  const auto url = server::AdminUrl::read(state / kUrlFile);
  if (!url) return no_server(state);
  CARREL_TRY(const std::string token, read_token(state / "token"));
  return std::make_unique<NodeClient>(*url, token);
}

Result<NodeAnswer> NodeClient::call(std::string method, std::string_view target, std::string body,
                                    std::chrono::milliseconds longest) {
  CARREL_TRY(NodeAnswer answer, ask(std::move(method), target, std::move(body), longest));
  if (answer.status >= 300) return std::unexpected(refusal(answer));
  return answer;
}

Error NodeClient::refusal(const NodeAnswer& answer) const {
  return cli::refusal(impl_->url, answer);
}

Result<NodeAnswer> NodeClient::ask(std::string method, std::string_view target, std::string body,
                                   std::chrono::milliseconds longest) {
  CARREL_TRY(net::Url url, net::parse_url(impl_->url + std::string(target)));
  NodeAnswer answer;
  CARREL_TRY_VOID(
      impl_->exchange({.method = std::move(method), .url = std::move(url), .body = std::move(body)},
                      {.total = longest, .response_bytes = kMostBytes}, answer.status,
                      [&answer](std::string_view piece) {
                        answer.body += piece;
                        return true;
                      }));
  return answer;
}

Result<void> NodeClient::follow(std::string_view target,
                                std::function<bool(std::string_view piece)> piece) {
  CARREL_TRY(net::Url url, net::parse_url(impl_->url + std::string(target)));
  NodeAnswer refused;
  const auto followed =
      impl_->exchange({.url = std::move(url)}, {.total = kLongest, .response_bytes = UINT64_MAX},
                      refused.status, [&](std::string_view text) {
                        if (refused.status < 300) return piece(text);
                        refused.body += text;
                        return refused.body.size() < kMostBytes;
                      });
  if (refused.status >= 300) return std::unexpected(refusal(refused));
  return followed;
}

// As capability/state/names.h, and all else that a URL cannot hold.
std::string encode_path(std::string_view name) {
  std::string path;
  for (std::size_t at = 0;;) {
    const auto end = std::min(name.find('/', at), name.size());
    const auto segment = name.substr(at, end - at);
    const bool dots = segment == "." || segment == "..";
    path +=
        segment.empty() ? "%" : (dots ? "%2E" : "") + percent_encode(segment.substr(dots ? 1 : 0));
    if (end == name.size()) return path;
    path += '/';
    at = end + 1;
  }
}

std::string target_of(std::string_view tenant, std::string_view kind, std::string_view store,
                      std::string_view name) {
  std::string target = fmt::format("/v1/tenants/{}/{}", percent_encode(tenant), kind);
  if (!store.empty()) target += "/" + percent_encode(store);
  if (!name.empty()) target += "/" + encode_path(name);
  return target;
}

}  // namespace carrel::cli
