// Hook points as a manifest declares them, and the app's own modules that are bound to them.
//
//   [[hook]]                      one a point
//   point = "cart.discounts"
//   combine = "chain"
//   [[hook.bind]]                 one a module, or an endpoint, at the point above it
//   module = "loyalty"
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/callbacks.h"
#include "app/document_keys.h"
#include "app/table_reader.h"
#include "base/clock.h"
#include "document/schema.h"
#include "net/url.h"
#include "turn/grants.h"

namespace carrel::app {

struct Manifest;

// How answers of several modules become one: patterns/hook/combine.h says what each means.
enum class Combine : std::uint8_t { first, all, chain, merge, any_deny };
std::string_view combine_name(Combine combine);
std::optional<Combine> parse_combine(std::string_view name);

// What a failed module means for its point.
enum class OnFailure : std::uint8_t {
  skip,  // the others' answers count
  fail,  // the point fails
  use_default,
};

inline constexpr std::size_t kMaxBindings = 100;  // of one point
inline constexpr std::size_t kMaxRetries = 20;    // of one delivery

// How an application reaches a point's modules.
enum class PointKind : std::uint8_t {
  call,   // it waits for their answer
  event,  // it goes on; each is told later, at least once
};
std::string_view kind_name(PointKind kind);

// What an endpoint is sent for an event.
enum class EventFormat : std::uint8_t {
  standard,    // {"type", "timestamp", "data"}, as Standard Webhooks have it
  binary,      // a CloudEvent, its attributes as headers
  structured,  // a CloudEvent as one JSON document
};
std::string_view format_name(EventFormat format);

// Who asks a token server for access to an endpoint (OAuth 2.0 client credentials).
struct OAuthClient {
  net::Url url;        // the token server's: https, or http to this machine
  std::string id;      // what it knows the client by
  std::string secret;  // name of a secret of the binding's tenant
  std::string scope;   // words with spaces between; empty: none is asked for
};

// Somebody's server in place of a module.
struct HookEndpoint {
  net::Url url;        // https, or http to this machine
  std::string secret;  // name of a secret of the binding's tenant
  std::optional<OAuthClient> oauth = {};
  EventFormat format = EventFormat::standard;
  Nanos disable_after = std::chrono::hours(120);
};

struct HookBinding {
  std::string name;        // unique at its point
  std::size_t module = 0;  // in Manifest::modules
  int order = 0;           // lower first
  std::string tenant;      // below the app's, such as "merchant-17"; empty: the app's own
  Pairs config;            // beside the module's, before it
  std::optional<HookEndpoint> endpoint = {};  // in place of the module
};

// What a customer may see of what its binding was given.
enum class Record : std::uint8_t {
  none,
  failures,  // inputs that it failed on
  all,
};

// What tenants below the app's may bind to a point themselves.
struct Customers {
  bool modules = false, endpoints = false;
};

struct HookPoint {
  std::string name;
  PointKind kind = PointKind::call;
  Combine combine = Combine::first;
  Nanos deadline = std::chrono::seconds(1);  // for all its modules together; event: for an attempt
  std::optional<std::vector<Nanos>> retry = {};  // event: the waits; nothing: the usual ones
  OnFailure on_failure = OnFailure::skip;
  std::string default_answer;                      // JSON; for use_default
  std::shared_ptr<const document::Schema> input;   // null: any JSON
  std::shared_ptr<const document::Schema> output;  // of each answer; null: any JSON
  std::vector<std::filesystem::path> files = {};   // that it names: its schemas
  std::vector<std::string> html;                   // places in an answer that are made safe
  turn::Grants grants;                             // what modules of other tenants may have here
  Customers customers = {};                        // what they may bind; nothing: they may not
  Record record = Record::none;                    // what is kept for them
  std::vector<std::string> hidden = {};            // places that are not: `private`
  std::vector<std::string> functions = {};         // of the application, in /app
  std::vector<HookBinding> bindings;               // in their order
};

// Words of a scope as OAuth 2.0 has them (RFC 6749, section 3.3).
bool is_scope(std::string_view text);
std::optional<EventFormat> parse_format(std::string_view name);

// One [[hook]]. `manifest` has its modules; `modules`: the names of all that it tries to have.
// Problems are added to `problems`; what is read in spite of them is not used.
HookPoint read_hook(const TomlValue& value, const Manifest& manifest,
                    std::span<const std::string_view> modules, Problems& problems);

}  // namespace carrel::app
