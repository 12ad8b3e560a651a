// carrel blob: the blobs that a tenant keeps on a running server.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "capability/blob/manifest.h"
#include "cli/command.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/pipes.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

constexpr std::chrono::hours kLongestUpload{1};

struct Options {
  std::string action, tenant, store, name;
  NodeOptions node;
  ListOptions list;
  bool json = false;
};

// As it arrives. What breaks off has been written as far as it came.
Result<void> get(NodeClient& node, const std::string& target) {
  if (is_terminal(Stream::output)) {
    return fail(Code::invalid_argument, "a blob is not shown on a terminal",
                "write it to a file: carrel blob get ... > FILE");
  }
  Result<void> written;
  auto followed = node.follow(target, [&written](std::string_view piece) {
    written = write_output(piece);
    return written.has_value();
  });
  return written ? followed : written;
}

Result<void> put(NodeClient& node, const Options& options, const std::string& target) {
  CARREL_TRY(std::string bytes, read_input(capability::blob::kMaxBlob));
  const std::size_t size = bytes.size();
  CARREL_TRY_VOID(node.call("PUT", target, std::move(bytes), kLongestUpload));
  if (!options.json) return {};
  Json json = named("put", options.name);
  json["bytes"] = size;
  return write_json(json);
}

Result<void> remove(NodeClient& node, const Options& options, const std::string& target) {
  CARREL_TRY_VOID(node.call("DELETE", target));
  return options.json ? write_json(named("deleted", options.name)) : Result<void>();
}

Result<void> list(NodeClient& node, const Options& options, const std::string& target) {
  return each_listed(node, target, "blobs", options.list, [&options](const Json& entry) {
    return options.json ? write_json(entry) : write_line(name_in(entry));
  });
}

Result<void> act(const Options& options) {
  const bool one = options.action != "list";
  if (one == options.name.empty()) {
    return fail(
        Code::invalid_argument,
        fmt::format("carrel blob {} {}", options.action, one ? "needs a NAME" : "takes no NAME"),
        "carrel help blob");
  }
  CARREL_TRY(const auto node, NodeClient::find(options.node, options.tenant));
  const std::string target = target_of(options.tenant, "blobs", options.store, options.name);
  if (options.action == "get") return get(*node, target);
  if (options.action == "put") return put(*node, options, target);
  if (options.action == "delete") return remove(*node, options, target);
  return list(*node, options, target);
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("ACTION", options->action)
      ->required()
      ->check(CLI::IsMember({"get", "put", "list", "delete"}));
  app.add_option("TENANT", options->tenant)->required();
  app.add_option("STORE", options->store)->required();
  app.add_option("NAME", options->name);
  add_list_options(app, options->list);
  app.add_flag("--json", options->json, "As JSON; a line for each name");
  add_node_options(app, options->node);
  return [options] {
    const auto done = act(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kBlob;
const Command kBlob{
    .name = "blob",
    .group = Group::look,
    .summary = "Read, write and list a tenant's blobs",
    .usage = "get|put|list|delete TENANT STORE [NAME] [OPTIONS]",
    .details =
        "Asks the server that has TENANT; an app that is served from a folder is one by its name. get\n"
        "writes the blob to standard output, put takes standard input to its end, of 1 GiB at most; it is\n"
        "there as a whole once put returns. A NAME is the plain name, \"a/b\" for the file a/b below\n"
        "/blobs/STORE. Exit status 3: there is no such blob.",
    .examples =
        "carrel blob put shop images hat.png < hat.png\n"
        "carrel blob get shop images hat.png > copy.png\n"
        "carrel blob list shop images --json\n",
    .add = add,
};

}  // namespace carrel::cli
