#include "app/oci/push.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "app/oci/contents.h"
#include "app/oci/registry.h"

namespace carrel::oci {
namespace {

using Json = nlohmann::ordered_json;

struct Types {
  std::string_view config, layer;
};

Types types_of(Layout layout) {
  switch (layout) {
    case Layout::kubewarden:
      return {.config = "application/vnd.wasm.config.v1+json", .layer = kKubewardenLayer};
    case Layout::istio:
      return {.config = "application/vnd.module.wasm.config.v1+json", .layer = kIstioLayer};
    case Layout::cncf:
      break;
  }
  return {.config = "application/vnd.wasm.config.v0+json", .layer = kWasmLayer};
}

}  // namespace

Result<Layout> parse_layout(std::string_view text) {
  if (text == "cncf") return Layout::cncf;
  if (text == "kubewarden") return Layout::kubewarden;
  if (text == "istio") return Layout::istio;
  return fail(Code::invalid_argument, fmt::format("there is no layout \"{}\"", text),
              "cncf, kubewarden or istio");
}

std::string config_of(const Pushed& pushed) {
  if (pushed.layout != Layout::cncf) return "{}";
  const auto seconds = std::chrono::floor<std::chrono::seconds>(pushed.created);
  Json json{{"created", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                                    fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)))},
            {"architecture", "wasm"},
            {"os", pushed.component ? "wasip2" : "wasip1"},
            {"layerDigests", {digest_of(pushed.bytes)}}};
  if (pushed.component) {
    json["component"] = {{"exports", pushed.exports}, {"imports", pushed.imports}};
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

async::Task<Result<std::string>> push_module(Session* session, Pushed pushed) {
  const Types types = types_of(pushed.layout);
  const std::string config = config_of(pushed);
  Image image{.config = {.media_type = std::string(types.config),
                         .digest = digest_of(config),
                         .size = config.size()},
              .layers = {{.media_type = std::string(types.layer),
                          .digest = digest_of(pushed.bytes),
                          .size = pushed.bytes.size()}}};
  if (pushed.layout == Layout::istio) {
    // Istio wants two layers; Envoy takes the first one.
    image.layers.push_back(image.config);
  }
  CARREL_CO_TRY_VOID(co_await put_blob(session, config));
  CARREL_CO_TRY_VOID(co_await put_blob(session, std::move(pushed.bytes)));
  co_return co_await put_document(session, write_image(image), std::string(kOciManifest),
                                  session->reference().tag);
}

}  // namespace carrel::oci
