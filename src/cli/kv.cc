// carrel kv: the values that a tenant keeps on a running server.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/units.h"
#include "base/percent.h"
#include "cli/command.h"
#include "cli/event_stream.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/pipes.h"
#include "cli/terminal.h"
#include "store/record.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

struct Options {
  std::string action, tenant, store, key;
  std::optional<std::string> value;
  std::string expires;
  NodeOptions node;
  ListOptions list;
  bool json = false;
};

Result<void> get(NodeClient& node, const Options& options, const std::string& target) {
  CARREL_TRY(const NodeAnswer answer, node.call("GET", target));
  if (!options.json) {
    const bool cut = is_terminal(Stream::output) && !answer.body.ends_with('\n');
    return write_output(shown_lines(Stream::output, answer.body) + (cut ? "\n" : ""));
  }
  Json json = named("name", options.key);
  json["bytes"] = answer.body.size();
  json.update(named("value", answer.body));
  return write_json(json);
}

Result<void> put(NodeClient& node, const Options& options, std::string target) {
  if (!options.expires.empty()) {
    const auto time = app::parse_duration(options.expires);
    const auto seconds =
        time ? std::chrono::ceil<std::chrono::seconds>(*time).count() : std::int64_t{0};
    if (seconds <= 0) {
      return fail(Code::invalid_argument, fmt::format("--expires cannot be {}", options.expires),
                  "a number and a unit: 30s, 10m, 24h");
    }
    target += fmt::format("?ttl={}", seconds);
  }
  std::string value;
  if (options.value) {
    value = *options.value;
  } else {
    CARREL_TRY(value, read_input(store::kMaxValue));
  }
  const std::size_t size = value.size();
  CARREL_TRY_VOID(node.call("PUT", target, std::move(value)));
  if (!options.json) return {};
  Json json = named("put", options.key);
  json["bytes"] = size;
  return write_json(json);
}

Result<void> remove(NodeClient& node, const Options& options, const std::string& target) {
  CARREL_TRY_VOID(node.call("DELETE", target));
  return options.json ? write_json(named("deleted", options.key)) : Result<void>();
}

Result<void> list(NodeClient& node, const Options& options, const std::string& target) {
  return each_listed(node, target, "values", options.list, [&options](const Json& entry) {
    return options.json ? write_json(entry) : write_line(name_in(entry));
  });
}

Result<void> show(const StreamEvent& event, const Options& options) {
  CARREL_TRY_VOID(check_end(event));
  Json json = Json::parse(event.data, nullptr, false);
  if (!json.is_object()) json = Json::object();
  if (options.json) {
    json["event"] = event.name;
    return write_json(json);
  }
  if (event.name == "watching") {
    print_error(fmt::format("carrel: watching {} of {}\n", options.store, options.tenant));
    return {};
  }
  const std::string name = name_in(json);
  return write_line(name.empty() ? event.name : fmt::format("{} {}", event.name, name));
}

// Until the server ends it, or nobody reads what we write.
Result<void> watch(NodeClient& node, const Options& options, const std::string& target) {
  EventStream stream;
  Result<void> written;
  const auto followed =
      node.follow(fmt::format("{}?watch&prefix={}", target, percent_encode(options.list.prefix)),
                  [&](std::string_view piece) {
                    for (const StreamEvent& event : stream.take(piece)) {
                      written = show(event, options);
                      if (!written) return false;
                    }
                    return true;
                  });
  if (!written) return written;
  if (!followed && !stream.begun()) return followed;
  return fail(Code::unavailable, "the server ended the watch",
              "when it runs again, watch again, and list what may have changed meanwhile");
}

Result<void> act(const Options& options) {
  const bool one = options.action != "list" && options.action != "watch";
  if (one == options.key.empty()) {
    return fail(
        Code::invalid_argument,
        fmt::format("carrel kv {} {}", options.action, one ? "needs a KEY" : "takes no KEY"),
        "carrel help kv");
  }
  if (options.value && options.action != "put")
    return fail(Code::invalid_argument, "only put takes a VALUE", "carrel help kv");
  CARREL_TRY(const auto node, NodeClient::find(options.node, options.tenant));
  const std::string target = target_of(options.tenant, "kv", options.store, options.key);
  if (options.action == "get") return get(*node, options, target);
  if (options.action == "put") return put(*node, options, target);
  if (options.action == "delete") return remove(*node, options, target);
  if (options.action == "list") return list(*node, options, target);
  return watch(*node, options, target);
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("ACTION", options->action)
      ->required()
      ->check(CLI::IsMember({"get", "put", "list", "delete", "watch"}));
  app.add_option("TENANT", options->tenant)->required();
  app.add_option("STORE", options->store)->required();
  app.add_option("KEY", options->key);
  // Not an option of its own type: to CLI11 an empty text would be none.
  app.add_option_function<std::string>(
      "VALUE", [options](const std::string& value) { options->value = value; });
  app.add_option("--expires", options->expires, "put: the value is gone after it: 30s, 10m, 24h")
      ->type_name("TIME");
  add_list_options(app, options->list);
  app.add_flag("--json", options->json, "As JSON; a line for each name or event");
  add_node_options(app, options->node);
  return [options] {
    const auto done = act(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kKv;
const Command kKv{
    .name = "kv",
    .group = Group::look,
    .summary = "Read, write, list and watch a tenant's values",
    .usage = "get|put|list|delete|watch TENANT STORE [KEY] [VALUE] [OPTIONS]",
    .details =
        "Asks the server that has TENANT. get writes the value as it is; put takes VALUE, or standard\n"
        "input to its end. Both return when what they saw or did is durable. watch tells of each durable\n"
        "change from now on; \"gap\" says that changes were missed: list again.\n"
        "A KEY is the plain name, \"a/b\" for the file a/b below /kv/STORE. Exit status 3: there is no\n"
        "such value.",
    .examples =
        "carrel kv put shop carts alice < cart.json\n"
        "carrel kv put shop sessions 7f3a open --expires 10m\n"
        "carrel kv list shop carts --prefix a --json\n"
        "carrel kv watch shop carts\n",
    .add = add,
};

}  // namespace carrel::cli
