// Hook points: places in an application's flow where its customers' modules are asked.
//
// An app's manifest declares its points; modules are bound to them, each in a tenant of its own
// with its own configuration and no more than the point allows. All of this is fixed once and then
// shared by all shards.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "delivery/retry.h"
#include "document/schema.h"
#include "net/url.h"
#include "patterns/hook/combine.h"
#include "runtime/loader.h"
#include "turn/turn.h"

namespace carrel::hook {

inline constexpr std::size_t kMaxDocument = 1 << 20;  // bytes of an input or an answer
inline constexpr std::size_t kMaxAnswers = 8 << 20;   // bytes of all answers together
inline constexpr std::size_t kMaxDepth = 64;          // of a document

using app::OnFailure;

// Somebody's server that is asked, or told, over HTTPS.
struct Endpoint {
  net::Url url;
  std::string secret;  // of the binding's tenant, by name: keys to sign with (signature.h)
  std::optional<app::OAuthClient> oauth = {};  // it wants an access token as well
  app::EventFormat format = app::EventFormat::standard;
  Nanos disable_after = std::chrono::hours(120);  // of nothing but failures
};

struct Binding {
  std::string name;  // unique at its point
  std::shared_ptr<const runtime::Program> program;
  turn::ModuleSetup module;                            // in the binding's tenant
  std::shared_ptr<const Endpoint> endpoint = nullptr;  // in place of the program; null: a module
};

struct Point {
  std::string name;
  app::PointKind kind = app::PointKind::call;
  Combine combine = Combine::first;
  Nanos deadline = std::chrono::seconds(1);  // for all its modules together; event: for an attempt
  delivery::Retry retry;                     // event: of a delivery that fails
  OnFailure on_failure = OnFailure::skip;
  std::string default_answer;                      // JSON; for use_default
  std::shared_ptr<const document::Schema> input;   // null: any JSON
  std::shared_ptr<const document::Schema> output;  // of each answer; null: any JSON
  std::vector<std::string> html;                   // places in an answer that are made safe
  turn::Grants grants;                             // what modules of other tenants may have here
  std::vector<Binding> bindings;                   // in their order
};

// Immutable once made, shared by all shards.
struct App {
  AppName app;
  TenantName tenant;
  std::uint64_t storage = 1ULL << 30;  // bytes its tenant may store
  std::vector<std::string> hosts;      // names it answers to, lower-case, without port; none: any
  std::map<std::string, Point, std::less<>> points;
  std::vector<Binding> modules;  // all that it has, by their names, in its own tenant
};

// All apps of the server that have points.
struct Apps {
  std::vector<std::shared_ptr<const App>> all;

  // The first that has this name, else the first without names; null: there is none. `host` may
  // have a port.
  std::shared_ptr<const App> find(std::string_view host) const;
};

}  // namespace carrel::hook
