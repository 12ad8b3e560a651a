// carrel hook: the hook points of an app that a running server serves.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/files.h"
#include "base/percent.h"
#include "cli/command.h"
#include "cli/hook_bind.h"
#include "cli/hook_replay.h"
#include "cli/hook_shadow.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/pipes.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostInput = 1 << 20;
constexpr std::chrono::seconds kLongest{90};  // a point's deadline is a minute at most

struct Options {
  std::string action, point, tenant, binding, module, id, subject;
  bool dry_run = false;
  BindOptions bind;
  ReplayOptions replay;
  std::vector<std::string> inputs;  // files
  NodeOptions node;
  bool json = false;
};

std::unexpected<Error> no_points() {
  return fail(Code::unavailable, "the server's answer is not one of hook points",
              "does --server name the listener of hook points, not the /v1 API?");
}

Result<void> list(NodeClient& node, const Options& options) {
  CARREL_TRY(const NodeAnswer answer, node.call("GET", "/v1/hooks"));
  const Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("points") || !json["points"].is_array())
    return no_points();
  for (const Json& point : json["points"]) {
    if (options.json) {
      CARREL_TRY_VOID(write_json(point));
      continue;
    }
    const std::string combine = text_in(point, "combine");
    CARREL_TRY_VOID(write_line(fmt::format("{} ({})", text_in(point, "point"),
                                           combine.empty() ? text_in(point, "kind") : combine)));
    const auto bindings = point.find("bindings");
    if (bindings == point.end() || !bindings->is_array()) return no_points();
    for (const Json& each : *bindings) {
      const std::string endpoint = text_in(each, "endpoint");
      CARREL_TRY_VOID(
          write_line(fmt::format("  {} in {}{}", text_in(each, "name"), text_in(each, "tenant"),
                                 endpoint.empty() ? "" : " at " + endpoint)));
    }
  }
  return {};
}

std::string target_of(const Options& options, std::string_view what) {
  return fmt::format("/v1/hooks/{}{}", percent_encode(options.point), what);
}

Result<NodeAnswer> send_input(NodeClient& node, const Options& options, std::string_view what) {
  std::string target = target_of(options, what), query;
  if (!options.tenant.empty()) query += "&tenant=" + percent_encode(options.tenant);
  if (!options.subject.empty()) query += "&subject=" + percent_encode(options.subject);
  if (options.dry_run) query += "&dry_run=true";
  if (!query.empty()) target += "?" + query.substr(1);
  std::string input;
  if (options.inputs.empty() || options.inputs.front() == "-") {
    CARREL_TRY(input, read_input(kMostInput));
  } else {
    CARREL_TRY(input, read_file(options.inputs.front(), kMostInput));
  }
  return node.call("POST", target, std::move(input), kLongest);
}

Result<void> call(NodeClient& node, const Options& options) {
  CARREL_TRY(const NodeAnswer answer, send_input(node, options, ":invoke"));
  const Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("output")) return no_points();
  return write_json(options.json ? json : json["output"]);
}

Result<void> emit(NodeClient& node, const Options& options) {
  CARREL_TRY(const NodeAnswer answer, send_input(node, options, ":emit"));
  const Json json = Json::parse(answer.body, nullptr, false);
  if (text_in(json, "id").empty()) return no_points();
  if (options.json) return write_json(json);
  return write_line(text_in(json, "id"));
}

Result<void> show_delivery(const Json& each) {
  const auto attempts = each.find("attempts");
  if (each.contains("damaged"))
    return write_line(fmt::format("{}  {}  its record is damaged", text_in(each, "id"),
                                  text_in(each, "binding")));
  return write_line(fmt::format(
      "{}  {}  {} attempts  {}", text_in(each, "id"), text_in(each, "binding"),
      attempts != each.end() && attempts->is_number_unsigned() ? attempts->get<unsigned>() : 0,
      text_in(each, "cause")));
}

// Page after page.
Result<void> deliveries(NodeClient& node, const Options& options) {
  const std::string state = options.action == "pending" ? "open" : "dead";
  std::string after;
  do {
    std::string target = target_of(options, "/deliveries?limit=1000&state=" + state);
    if (!after.empty()) target += "&after=" + after;
    CARREL_TRY(const NodeAnswer answer, node.call("GET", target));
    const Json json = Json::parse(answer.body, nullptr, false);
    if (!json.is_object() || !json.contains("deliveries") || !json["deliveries"].is_array())
      return no_points();
    for (const Json& each : json["deliveries"]) {
      if (!options.binding.empty() && text_in(each, "binding") != options.binding) continue;
      CARREL_TRY_VOID(options.json ? write_json(each) : show_delivery(each));
    }
    std::string next = percent_encode(text_in(json, "next"));
    if (next == after) break;
    after = std::move(next);
  } while (!after.empty());
  return {};
}

Result<void> redrive(NodeClient& node, const Options& options) {
  Json body = Json::object();
  if (!options.binding.empty()) body["binding"] = options.binding;
  if (!options.id.empty()) body["id"] = options.id;
  CARREL_TRY(const NodeAnswer answer,
             node.call("POST", target_of(options, "/deliveries:redrive"), body.dump()));
  const Json json = Json::parse(answer.body, nullptr, false);
  if (!json.is_object() || !json.contains("redriven")) return no_points();
  if (options.json) return write_json(json);
  const bool more = json.contains("more") && json["more"].is_boolean() && json["more"].get<bool>();
  return write_line(fmt::format("{} are tried again{}", json["redriven"].dump(),
                                more ? "; there is no room for more of them yet" : ""));
}

Result<void> show_endpoint(const Json& each) {
  const std::string why = text_in(each, "why"), since = text_in(each, "failing_since");
  CARREL_TRY_VOID(
      write_line(fmt::format("{} in {}: {}", text_in(each, "binding"), text_in(each, "tenant"),
                             !why.empty()    ? "disabled: " + why
                             : since.empty() ? "well"
                                             : "failing since " + since)));
  const auto attempts = each.find("attempts");
  if (attempts == each.end() || !attempts->is_array()) return no_points();
  for (const Json& attempt : *attempts) {
    const std::string cause = text_in(attempt, "cause");
    CARREL_TRY_VOID(
        write_line(fmt::format("  {}  {}  {}", text_in(attempt, "at"), text_in(attempt, "id"),
                               cause.empty() ? "delivered" : cause)));
  }
  return {};
}

// Page after page.
Result<void> endpoints(NodeClient& node, const Options& options) {
  std::string after;
  do {
    std::string query;
    if (!options.tenant.empty()) query += "&tenant=" + percent_encode(options.tenant);
    if (!after.empty()) query += "&after=" + after;
    std::string target = target_of(options, "/endpoints");
    if (!query.empty()) target += "?" + query.substr(1);
    CARREL_TRY(const NodeAnswer answer, node.call("GET", target));
    const Json json = Json::parse(answer.body, nullptr, false);
    if (!json.is_object() || !json.contains("endpoints") || !json["endpoints"].is_array())
      return no_points();
    for (const Json& each : json["endpoints"])
      CARREL_TRY_VOID(options.json ? write_json(each) : show_endpoint(each));
    std::string next = percent_encode(text_in(json, "next"));
    if (next == after) break;
    after = std::move(next);
  } while (!after.empty());
  return {};
}

Result<void> enable(NodeClient& node, const Options& options) {
  if (options.binding.empty())
    return fail(Code::invalid_argument, "carrel hook enable needs --binding", "carrel help hook");
  const auto done = node.call(
      "POST", target_of(options, "/endpoints/" + percent_encode(options.binding) + ":enable"));
  return done ? Result<void>() : std::unexpected(done.error());
}

Result<void> set_pause(NodeClient& node, const Options& options) {
  const auto done = node.call("POST", "/v1/hooks:" + options.action);
  return done ? Result<void>() : std::unexpected(done.error());
}

struct Action {
  std::string_view name;
  enum class Point : std::uint8_t { needed, none } point;
  Result<void> (*act)(NodeClient& node, const Options& options);  // null: it gives a status
  enum class Of : std::uint8_t { app, tenant } of = Of::app;      // whom it is asked of
};
constexpr std::array<Action, 16> kActions = {{
    {"list", Action::Point::none, list},
    {"call", Action::Point::needed, call},
    {"emit", Action::Point::needed, emit},
    {"dead", Action::Point::needed, deliveries},
    {"pending", Action::Point::needed, deliveries},
    {"redrive", Action::Point::needed, redrive},
    {"endpoints", Action::Point::needed, endpoints},
    {"enable", Action::Point::needed, enable},
    {"shadow", Action::Point::needed, nullptr},
    {"pause", Action::Point::none, set_pause},
    {"resume", Action::Point::none, set_pause},
    {"bind", Action::Point::needed, nullptr, Action::Of::tenant},
    {"unbind", Action::Point::needed, nullptr, Action::Of::tenant},
    {"bindings", Action::Point::none, nullptr, Action::Of::tenant},
    {"tail", Action::Point::needed, nullptr, Action::Of::tenant},
    {"replay", Action::Point::needed, nullptr, Action::Of::tenant},
}};

// By the /v1 API, in the customer's tenant.
Result<int> act_on_bindings(const Options& options) {
  if (options.tenant.empty()) {
    return fail(Code::invalid_argument,
                fmt::format("carrel hook {} needs --tenant", options.action), "carrel help hook");
  }
  if (options.action == "tail" || options.action == "replay") {
    ReplayOptions replay = options.replay;
    replay.tenant = options.tenant;
    replay.binding = options.point;
    replay.module = options.module;
    replay.json = options.json;
    CARREL_TRY(const auto node, NodeClient::find(options.node, options.tenant));
    if (options.action == "replay") return hook_replay(*node, replay);
    CARREL_TRY_VOID(hook_tail(*node, replay));
    return kOk;
  }
  BindOptions bind = options.bind;
  bind.tenant = options.tenant;
  bind.name = options.action == "unbind" ? options.point : options.binding;
  bind.point = options.point;
  bind.module = options.module;
  bind.json = options.json;
  CARREL_TRY(const auto node, NodeClient::find(options.node, options.tenant));
  CARREL_TRY_VOID(options.action == "bind"     ? hook_bind(*node, bind)
                  : options.action == "unbind" ? hook_unbind(*node, bind)
                                               : hook_bindings(*node, bind));
  return kOk;
}

Result<int> act(const Options& options) {
  const auto* const action = std::ranges::find(kActions, options.action, &Action::name);
  const bool needed = action->point == Action::Point::needed;
  if (needed == options.point.empty()) {
    return fail(Code::invalid_argument,
                fmt::format("carrel hook {} {}", options.action,
                            needed ? "needs a POINT" : "takes no POINT"),
                "carrel help hook");
  }
  if (options.inputs.size() > 1 && options.action != "shadow")
    return fail(Code::invalid_argument, "one INPUT at a time", "carrel help hook");
  if (action->of == Action::Of::tenant) return act_on_bindings(options);
  CARREL_TRY(const auto node, NodeClient::of_hooks(options.node));
  if (action->act == nullptr) {
    return shadow(*node, {.point = options.point,
                          .binding = options.binding,
                          .module = options.module,
                          .inputs = options.inputs,
                          .json = options.json});
  }
  CARREL_TRY_VOID(action->act(*node, options));
  return kOk;
}

std::vector<std::string> action_names() {
  std::vector<std::string> names;
  names.reserve(kActions.size());
  for (const Action& action : kActions) names.emplace_back(action.name);
  return names;
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("ACTION", options->action)->required()->check(CLI::IsMember(action_names()));
  app.add_option("POINT", options->point);
  app.add_option("INPUT", options->inputs);
  app.add_option("--tenant", options->tenant,
                 "call, emit: whom it is for (default: the app's own modules\n"
                 "are asked); endpoints: those that it has bound; bind and\n"
                 "those after it: whose it is")
      ->type_name("TENANT");
  app.add_option("--subject", options->subject,
                 "call, emit: who has the same is in the same bindings' shares")
      ->type_name("TEXT");
  app.add_flag("--dry-run", options->dry_run, "call: nothing that modules change is kept");
  app.add_option("--binding", options->binding,
                 "dead, pending, redrive, enable, shadow: of this binding;\n"
                 "bind: its name (default: the module's)")
      ->type_name("NAME");
  app.add_option("--module", options->module,
                 "shadow: of the app, beside the endpoint of --binding;\n"
                 "bind, replay: APP/NAME of a deployed app of the tenant;\n"
                 "replay: or APP/NAME@VERSION (default: the binding's own)")
      ->type_name("NAME");
  add_bind_options(app, options->bind);
  add_replay_options(app, options->replay);
  app.add_option("--id", options->id, "redrive: of this event only")->type_name("ID");
  app.add_flag("--json", options->json, "A line of JSON for each; call: what each module did");
  app.add_option("--server", options->node.server,
                 "Where hook points are called; bind and those after\n"
                 "it: the /v1 API (default: one that uses the state folder)")
      ->type_name("URL");
  app.add_option("--host", options->node.host,
                 "Of several apps, the one with this name: shop.acme.localhost")
      ->type_name("HOST");
  add_token_options(app, options->node);
  return [options] {
    const auto done = act(*options);
    return done ? *done : report_call(done.error());
  };
}

}  // namespace

extern const Command kHook;
const Command kHook{
    .name = "hook",
    .group = Group::look,
    .summary = "List the hook points of an app, call one, or tell it of an event",
    .usage = "ACTION [POINT [INPUT...]] [OPTIONS]",
    .details =
        "Asks the server where hook points are called.\n"
        "\n"
        "  list              the points, and who is bound to each\n"
        "  call POINT        sends INPUT and prints the output; with --json also what came of each module\n"
        "  emit POINT        tells a point of kind \"event\" of INPUT; prints the event's id once it is kept\n"
        "  pending POINT     deliveries on their way, with why the last attempt failed\n"
        "  dead POINT        deliveries that were given up, with the cause\n"
        "  redrive POINT     tries dead ones again\n"
        "  endpoints POINT   how each endpoint does, with its last attempts: the app's own, and customers' that\n"
        "                    have been told of something\n"
        "  enable POINT      an endpoint that was disabled\n"
        "  shadow POINT      sends each INPUT to an endpoint and runs a module on it, of which nothing is\n"
        "                    kept, and says where their answers differ; then the exit status is 1\n"
        "  pause, resume     all deliveries of the node; a restored backup begins paused\n"
        "  bind POINT        binds a module of a customer's app, or an endpoint, to a point of --app\n"
        "  bindings          what --tenant has bound, and whether it is called\n"
        "  unbind BINDING    takes one away\n"
        "  tail BINDING      what it was given lately and what came of it, as far as the point lets that be kept\n"
        "  replay BINDING    runs a module on that, keeps nothing of it, and says where the answers differ; then\n"
        "                    the exit status is 1\n"
        "\n"
        "INPUT is a file with JSON; without one, or with -, standard input. An app's own modules\n"
        "and endpoints are bound in carrel.toml, customers' with bind. Exit status 3: there is no such point.",
    .examples =
        "carrel hook list\n"
        "carrel hook call cart.discounts cart.json --tenant shop/merchant-17\n"
        "echo '{\"total\": 12.5}' | carrel hook call cart.discounts --json\n"
        "carrel hook emit order.created order.json\n"
        "carrel hook shadow cart.discounts carts/*.json --binding tax-service --module tax\n"
        "carrel hook bind cart.discounts --app shop --tenant acme/merchant-17 --module tweaks/loyalty\n"
        "carrel hook call cart.discounts cart.json --host shop.acme.localhost --tenant acme/merchant-17 --dry-run\n"
        "carrel hook replay loyalty --tenant acme/merchant-17 --module tweaks/loyalty@4\n"
        "carrel hook dead order.created && carrel hook redrive order.created --binding crm\n",
    .add = add,
};

}  // namespace carrel::cli
