// carrel deploy: makes a version of an app on a server, and has it served.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "app/deployment/pack.h"
#include "app/deployment/unpack.h"
#include "app/units.h"
#include "base/percent.h"
#include "cli/command.h"
#include "cli/deployed_app.h"
#include "cli/json_text.h"
#include "cli/kept.h"
#include "cli/terminal.h"

namespace carrel::cli {
namespace {

using Json = nlohmann::json;
using deployment::PackedApp;

struct Options {
  std::string folder, message;
  unsigned percent = 100;
  bool preview = false;
  DeployedAppOptions app;
};

constexpr std::chrono::minutes kLongest{10};
constexpr int kTries = 3;

class Deployment {
 public:
  Deployment(const Options& options, NodeClient& node, const PackedApp& packed)
      : options_(options), node_(node), packed_(packed) {}

  Result<void> run() {
    CARREL_TRY_VOID(make_tenant());
    CARREL_TRY(const Json version, make_version());
    const auto number = version.value("version", 0ULL);
    for (const Json& notice : version.value("notices", Json::array())) {
      if (notice.is_string()) print_error("carrel: " + notice.get<std::string>() + "\n");
    }
    CARREL_TRY(const Json app, go_live(number));
    if (options_.app.json) {
      return write_json({{"version", version}, {"app", app}, {"uploaded", uploaded_}});
    }
    print(fmt::format("version {}{}, {} files, {} uploaded\n", number,
                      made_ ? "" : " was there already", packed_.bundle.files.size(),
                      app::size_text(uploaded_)));
    CARREL_TRY_VOID(show_app(app, options_.app));
    const Json hosts = app.value("hosts", Json::array());
    if (!options_.preview && !hosts.empty() && hosts.front().is_string())
      print(fmt::format("  {}\n", hosts.front().get<std::string>()));
    return {};
  }

 private:
  // An app's own tenant is there once the app is; any other is somebody's decision.
  Result<void> make_tenant() {
    if (!options_.app.tenant.empty()) return {};
    const std::string target = "/v1/tenants/" + percent_encode(options_.app.tenant_name());
    CARREL_TRY(const NodeAnswer found, node_.ask("GET", target));
    if (found.status != 404) return {};
    const Json body = {{"name", options_.app.tenant_name()}};
    CARREL_TRY(const NodeAnswer made, node_.ask("POST", "/v1/tenants", body.dump()));
    if (made.status < 300 || made.status == 409) return {};
    return std::unexpected(node_.refusal(made));
  }

  Result<Json> make_version() {
    Json body = {{"files", to_json(packed_.bundle)}};
    if (!options_.message.empty()) body["message"] = options_.message;
    const std::string text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
    NodeAnswer answer;
    // A part may go while others are uploaded, if no version uses it.
    for (int i = 0; i < kTries; ++i) {
      CARREL_TRY(answer, node_.ask("POST", options_.app.target("/versions"), text, kLongest));
      made_ = answer.status == 201;
      if (answer.status < 300) return json_of(answer);
      const Json json = Json::parse(answer.body, nullptr, false);
      if (text_in(json, "code") != code_name(Code::parts_missing)) break;
      CARREL_TRY_VOID(upload(json.value("missing", Json::array())));
    }
    return std::unexpected(node_.refusal(answer));
  }

  Result<void> upload(const Json& missing) {
    std::map<std::string, std::pair<const deployment::BundleFile*, std::size_t>> places;
    for (const auto& file : packed_.bundle.files) {
      for (std::size_t i = 0; i < file.parts.size(); ++i)
        places.try_emplace(deployment::hash_text(file.parts[i]), &file, i);
    }
    for (const Json& each : missing) {
      const auto place = each.is_string() ? places.find(each.get<std::string>()) : places.end();
      if (place == places.end())
        return fail(Code::unavailable, "the server asks for a part that the app does not have");
      const auto& [file, index] = place->second;
      CARREL_TRY(std::string bytes, deployment::read_part(packed_.manifest.folder, *file, index));
      uploaded_ += bytes.size();
      CARREL_TRY_VOID(
          node_.call("PUT",
                     fmt::format("/v1/tenants/{}/parts/{}",
                                 percent_encode(options_.app.tenant_name()), place->first),
                     std::move(bytes), kLongest));
    }
    return {};
  }

  Result<Json> go_live(std::uint64_t number) {
    const std::string version = fmt::format("/versions/{}", number);
    if (options_.preview) return ask_json(node_, "PUT", options_.app.target(version + "/preview"));
    return ask_json(node_, "POST", options_.app.target(version + ":activate"),
                    Json{{"percent", options_.percent}}.dump());
  }

  const Options& options_;
  NodeClient& node_;
  const PackedApp& packed_;
  std::uint64_t uploaded_ = 0;
  bool made_ = false;
};

Result<void> deploy(Options& options) {
  CARREL_TRY(const PackedApp packed, deployment::pack(options.folder));
  options.app.app = packed.manifest.app.str();
  CARREL_TRY(const auto node, NodeClient::find(options.app.node, options.app.tenant_name()));
  return Deployment(options, *node, packed).run();
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("FOLDER", options->folder)->required();
  app.add_option("--to", options->app.node.server, "The server's /v1 API; the same as --server")
      ->type_name("URL");
  app.add_option("--message", options->message, "What to remember of this version")
      ->type_name("TEXT");
  app.add_flag("--preview", options->preview,
               "Serve it under a name of its own; what is live stays live");
  app.add_option("--percent", options->percent, "Only so many of the requests (default: 100)")
      ->type_name("N")
      ->check(CLI::Range(1, 100).description(""));
  add_deployed_options(app, options->app);
  return [options] {
    const auto done = deploy(*options);
    return done ? kOk : report_call(done.error());
  };
}

}  // namespace

extern const Command kDeploy;
const Command kDeploy{
    .name = "deploy",
    .group = Group::serve,
    .summary = "Make a version of an app on a server, and serve it",
    .usage = "FOLDER [--to URL] [--tenant TENANT] [OPTIONS]",
    .details =
        "Uploads what the manifest uses and the tenant does not have yet: carrel.toml, modules, assets/ and\n"
        "static folders. The server compiles and checks all of it, and says everything that is wrong at\n"
        "once; nothing changes then. When the command returns, every new request is answered by the new\n"
        "version; requests in progress end as they began.\n"
        "Without --tenant the app goes to the root tenant of its name, which is created if need be.",
    .examples =
        "carrel deploy shop --to http://127.0.0.1:3001\n"
        "carrel deploy shop --tenant acme/merchant-17 --message \"new prices\"\n"
        "carrel deploy shop --preview\n"
        "carrel deploy shop --percent 10          # then: carrel activate shop 8\n",
    .add = add,
};

}  // namespace carrel::cli
