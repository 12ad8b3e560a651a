// carrel invoke: one turn from the shell.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "app/problems.h"
#include "app/units.h"
#include "base/files.h"
#include "cli/command.h"
#include "cli/egress_options.h"
#include "cli/record.h"
#include "cli/registry_options.h"
#include "cli/state_folder.h"
#include "cli/terminal.h"
#include "cli/turn_bench.h"

namespace carrel::cli {
namespace {
namespace fs = std::filesystem;

constexpr std::size_t kMostRecorded = 100;  // names in the store

struct Options {
  std::string target;
  std::string module;
  std::string method;
  std::string path = "/";
  std::vector<std::string> headers;
  std::optional<std::string> data;
  std::string type, source, subject, id;
  std::vector<std::string> attributes;
  std::vector<std::string> variables;
  std::string record;
  std::string state;
  RegistryArguments registry;
  std::string store;
  EgressArguments egress;
  bool include_head = false;
  bool json = false;
};

Result<std::string> data_of(const std::string& data) {
  constexpr std::uint64_t kMaxData = 1ULL << 30;
  if (data == "-" || data == "@-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  if (data.starts_with('@')) return read_file(data.substr(1), kMaxData);
  return data;
}

// "NAME<separator>VALUE", the value without spaces around it.
Result<std::pair<std::string, std::string>> pair_of(const std::string& text, char separator,
                                                    std::string_view option) {
  const auto at = text.find(separator);
  if (at == std::string::npos || at == 0) {
    return fail(Code::invalid_argument,
                fmt::format("{} {}: it has no '{}'", option, app::in_quotes(text), separator),
                fmt::format("write it like {} NAME{}VALUE", option, separator));
  }
  std::string value = text.substr(at + 1);
  value.erase(0, std::min(value.find_first_not_of(' '), value.size()));
  return std::pair(text.substr(0, at), std::move(value));
}

Result<app::CaseEvent> event_of(const Options& options) {
  app::CaseEvent event;
  event.kind = options.type.empty() ? app::CaseEvent::Kind::http : app::CaseEvent::Kind::other;
  if (options.data) {
    CARREL_TRY(event.body, data_of(*options.data));
  }
  event.method = !options.method.empty() ? options.method : event.body ? "POST" : "GET";
  event.path = options.path.starts_with('/') ? options.path : "/" + options.path;
  for (const std::string& text : options.headers) {
    CARREL_TRY(auto header, pair_of(text, ':', "--header"));
    event.headers.push_back(std::move(header));
  }
  event.type = options.type;
  event.source = options.source;
  event.subject = options.subject;
  event.id = options.id;
  for (const std::string& text : options.attributes) {
    CARREL_TRY(auto attribute, pair_of(text, '=', "--attribute"));
    event.attributes.push_back(std::move(attribute));
  }
  return event;
}

// The module to run, from an app or from a file alone.
struct Subject {
  std::optional<app::Manifest> app;
  app::Module module;
};

Result<Subject> subject_of(const Options& options, const app::CaseEvent& event) {
  Subject subject;
  std::error_code error;
  const fs::path target(options.target);
  if (fs::is_directory(target, error) || target.extension() == ".toml") {
    CARREL_TRY(subject.app, load_app(target, options.registry, options.state));
    if (options.module.empty()) {
      CARREL_TRY(const app::Module* module, module_for(*subject.app, event));
      subject.module = *module;
    } else if (const app::Module* module = subject.app->module(options.module)) {
      subject.module = *module;
    } else {
      std::vector<std::string_view> names;
      for (const app::Module& each : subject.app->modules) names.push_back(each.name.str());
      return fail(Code::not_found,
                  fmt::format("the app has no module {}{}", app::in_quotes(options.module),
                              app::suggestion(options.module, names)));
    }
  } else {
    subject.module.name = ModuleName(target.stem().string());
    subject.module.source = target;
  }
  for (const std::string& text : options.variables) {
    CARREL_TRY(auto variable, pair_of(text, '=', "--env"));
    subject.module.environment.insert(subject.module.environment.begin(), std::move(variable));
  }
  return subject;
}

std::string milliseconds(Nanos duration) {
  return fmt::format("{:.3f} ms", std::chrono::duration<double, std::milli>(duration).count());
}

std::int64_t microseconds(Nanos duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

std::string head_text(const net::ReplyHead& head) {
  std::string text = fmt::format("{}\n", head.status);
  for (const auto& [name, value] : head.headers) text += fmt::format("{}: {}\n", name, value);
  return text + "\n";
}

void show_text(const Options& options, const app::CaseEvent& event, const TurnResult& result) {
  print_error(shown_lines(Stream::error, result.log));
  if (options.include_head && event.kind == app::CaseEvent::Kind::http)
    print(shown_lines(Stream::output, head_text(result.head)));
  print(shown_lines(Stream::output, result.body));
  if (!result.body.empty() && !result.body.ends_with('\n') && is_terminal(Stream::output))
    print("\n");
  print_error(fmt::format("carrel: {}memory {}, CPU {}, time {}\n",
                          event.kind == app::CaseEvent::Kind::http
                              ? fmt::format("status {}, ", result.head.status)
                              : "",
                          app::size_text(result.guest.memory_peak), milliseconds(result.guest.cpu),
                          milliseconds(result.wall)));
  if (result.error) report(*result.error);
}

void show_json(const app::CaseEvent& event, const TurnResult& result) {
  nlohmann::ordered_json json;
  json["ok"] = !result.error;
  if (event.kind == app::CaseEvent::Kind::http) {
    json["status"] = result.head.status;
    json["headers"] = nlohmann::ordered_json::array();
    for (const auto& [name, value] : result.head.headers) json["headers"].push_back({name, value});
  }
  if (result.guest.end == wasm::Outcome::End::exited) json["exit"] = result.guest.exit_code;
  json["body"] = result.body;
  json["stderr"] = result.log;
  if (result.error) {
    json["error"] = {{"code", code_name(result.error->code())},
                     {"message", result.error->message()},
                     {"help", result.error->help()}};
  }
  json["memory_peak_bytes"] = result.guest.memory_peak;
  json["cpu_us"] = microseconds(result.guest.cpu);
  json["wall_us"] = microseconds(result.wall);
  print(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

// Nothing: the module may call nobody. Reading the system's certificates takes a while.
Result<std::optional<net::ClientOptions>> client_of(const EgressArguments& arguments,
                                                    const app::Module& module) {
  if (module.grants.http.empty()) return std::nullopt;
  return client_options(arguments);
}

Result<int> invoke(const Options& options) {
  CARREL_TRY(app::CaseEvent event, event_of(options));
  // What is recorded must come out the same when it is run again.
  if (!options.record.empty()) {
    event.time = std::chrono::floor<std::chrono::seconds>(system_clock().wall());
  }
  CARREL_TRY(const Subject subject, subject_of(options, event));
  CARREL_TRY(const auto bench, options.store.empty()
                                   ? TurnBench::make(options.state)
                                   : TurnBench::make(options.state, options.store));
  CARREL_TRY(auto client, client_of(options.egress, subject.module));
  if (client) bench->allow_calls(std::move(*client));
  CARREL_TRY(const TurnResult result,
             bench->run({.module = subject.module,
                         .app = subject.app ? &*subject.app : nullptr,
                         .event = event,
                         .record = options.record.empty() ? 0 : kMostRecorded}));
  if (options.json) {
    show_json(event, result);
  } else {
    show_text(options, event, result);
  }
  if (!options.record.empty()) {
    CARREL_TRY_VOID(record_case(options.record, subject.module.name.str(),
                                subject.app ? nullptr : &subject.module.source, event, result));
    print_error(fmt::format("carrel: recorded {}/case.toml\n", options.record));
  }
  return result.error ? kFailure : kOk;
}

int run(const Options& options) {
  const auto status = invoke(options);
  if (status) return *status;
  report(status.error());
  return status.error().code() == Code::invalid_argument ? kUsage : kFailure;
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("TARGET", options->target)->required();
  app.add_option("--module", options->module,
                 "Which module of the app; default: the one its route leads to")
      ->type_name("NAME");
  app.add_option("--method", options->method, "Default: GET, or POST with --data")
      ->type_name("METHOD");
  app.add_option("--path", options->path, "With the query: /price/7?country=DE (default: /)")
      ->type_name("PATH");
  app.add_option("--header", options->headers, "A request header; may be repeated")
      ->type_name("NAME:VALUE")
      ->allow_extra_args(false);
  app.add_option("--data", options->data,
                 "The body; @FILE reads it from a file, - from standard input")
      ->type_name("TEXT");
  app.add_option("--type", options->type, "An event of this type instead of a request")
      ->type_name("TYPE");
  app.add_option("--source", options->source, "The event's source")->type_name("URI");
  app.add_option("--subject", options->subject, "The event's subject")->type_name("TEXT");
  app.add_option("--id", options->id, "The event's id")->type_name("ID");
  app.add_option("--attribute", options->attributes,
                 "A further attribute of the event; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("--env", options->variables, "A variable for the module; may be repeated")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_flag("-i,--include", options->include_head, "Print the reply's status and headers too");
  auto* const record = app.add_option("--record", options->record,
                                      "Write the turn as a test case into this new folder")
                           ->type_name("DIR");
  app.add_option("--store", options->store, "Keep the state of the turn in this store's folder")
      ->type_name("DIR")
      ->excludes(record);
  add_egress_options(app, options->egress);
  app.add_flag("--json", options->json, "As JSON");
  add_state_option(app, options->state);
  add_source_options(app, options->registry);
  return [options] { return run(*options); };
}

}  // namespace

extern const Command kInvoke;
const Command kInvoke{
    .name = "invoke",
    .group = Group::develop,
    .summary = "Run one turn: an event in, the reply out",
    .usage = "[OPTIONS] FOLDER|MODULE",
    .details =
        "FOLDER is an app; MODULE a file alone, with default limits. The reply's body goes to standard\n"
        "output; what the guest logged, and what the turn used, to standard error.\n"
        "The exit status is 0 if the guest gave a reply, whatever its status says.\n"
        "The turn's store is empty and gone afterwards, unless --store names one that stays. Its calls to\n"
        "the outside are made, within the module's grants, as by a server; --record keeps them, too.",
    .examples =
        "carrel invoke examples/shop --path '/price/book-wasm?country=DE'\n"
        "carrel invoke hello.wasm --data @order.json --header content-type:application/json\n"
        "carrel invoke hello.wasm --type com.example.order --data '{}'\n"
        "carrel invoke . --path /hello --record tests/hello\n",
    .add = add,
};

}  // namespace carrel::cli
