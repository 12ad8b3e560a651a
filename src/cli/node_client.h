// A running server's /v1 API, as commands call it.
//
// Which server: --server or CARREL_SERVER with the token of --token-file or CARREL_TOKEN_FILE; else
// one that uses the state folder and serves an app of the tenant: each says in its `admin.url`
// where it listens.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace CLI {
class App;
}

namespace carrel::cli {

// Texts as they were typed.
struct NodeOptions {
  std::string state, server, token_file;
  std::string host = {};  // of hook points: an app's name, in place of the server's
};
void add_node_options(CLI::App& app, NodeOptions& options);
// All of them but the server.
void add_token_options(CLI::App& app, NodeOptions& options);

struct NodeAnswer {
  int status = 0;
  std::string body;
};

// Owner and thread: the command's. Blocks.
class NodeClient {
 public:
  // Errors: unavailable when no server can be found; invalid_argument for one that would be told
  // the token in clear text; what is wrong with the token's file.
  static Result<std::unique_ptr<NodeClient>> find(const NodeOptions& options,
                                                  std::string_view tenant);
  // Where hook points are called, by `hooks.url` if no server is named. Errors: as `find`.
  static Result<std::unique_ptr<NodeClient>> of_hooks(const NodeOptions& options);
  // The server whose store lies in this state folder. Errors: unavailable when none says where it
  // listens; what is wrong with the token's file.
  static Result<std::unique_ptr<NodeClient>> of_state(const std::filesystem::path& state);
  NodeClient(std::string url, std::string token);
  ~NodeClient();

  const std::string& url() const;

  // `target`: path and query. Errors: unavailable when no server answers there; what the server
  // refused, with its code.
  Result<NodeAnswer> call(std::string method, std::string_view target, std::string body = {},
                          std::chrono::milliseconds longest = std::chrono::seconds(30));

  // The same, for who reads refusals: what the server answered, whatever that is.
  Result<NodeAnswer> ask(std::string method, std::string_view target, std::string body = {},
                         std::chrono::milliseconds longest = std::chrono::seconds(30));
  Error refusal(const NodeAnswer& answer) const;

  // Hands on the answer's body as it arrives until `piece` returns false or the answer ends.
  Result<void> follow(std::string_view target, std::function<bool(std::string_view piece)> piece);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// "/v1/tenants/shop/kv/carts/a%20b"; without a name, the store.
std::string target_of(std::string_view tenant, std::string_view kind, std::string_view store,
                      std::string_view name);
// Each part of a name percent-encoded.
std::string encode_path(std::string_view name);

}  // namespace carrel::cli
