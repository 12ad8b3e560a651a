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
#include "base/name_table.h"
#include "delivery/retry.h"
#include "document/schema.h"
#include "net/url.h"
#include "patterns/hook/combine.h"
#include "runtime/loader.h"
#include "turn/functions.h"
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
  std::string name;           // unique at its point
  std::string own_name = {};  // a customer's: its name in its tenant; empty: the manifest's
  std::shared_ptr<const runtime::Program> program;
  turn::ModuleSetup module;                            // in the binding's tenant
  std::shared_ptr<const Endpoint> endpoint = nullptr;  // in place of the program; null: a module
  app::Pairs config = {};                              // of an app's module: its own
  int order = 0;                                       // lower first
  unsigned percent = 100;                              // of the calls
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
  std::vector<std::string> functions = {};         // of the application, that its modules may call
  turn::Grants grants;                             // what modules of other tenants may have here
  app::Customers customers = {};                   // what tenants below the app's may bind
  app::Record record = app::Record::none;          // what is kept for them, but what is at
  std::vector<std::string> hidden = {};            // these places
  std::vector<Binding> bindings;                   // in their order
};

// Immutable once made, shared by all shards.
struct App {
  AppName app;
  TenantName tenant;
  std::uint64_t storage = 1ULL << 30;  // bytes its tenant may store
  std::vector<std::string> hosts;      // names it answers to, lower-case, without port; none: any
  std::map<std::string, Point, std::less<>> points;
  std::shared_ptr<const turn::FunctionSource> functions = nullptr;  // null: it has none
  std::vector<Binding> modules;  // all that it has, by their names, in its own tenant
};

// The versions of a deployed app that are called, and how much of its calls each gets.
struct AppShares {
  struct Share {
    std::shared_ptr<const App> app;
    unsigned percent = 100;
  };
  std::vector<Share> all;  // one at least; 100 percent in sum

  // Which one is called; the same as long as `place`, 0 to 99, and the shares are.
  const std::shared_ptr<const App>& of(unsigned place) const;
  // Whether any of them has points.
  bool has_any() const;
};

// Lets the binding's module call what the point names of `source`.
void let_call(Binding& binding, const std::vector<std::string>& functions,
              std::shared_ptr<const turn::FunctionSource> source);

using Bindings = std::vector<std::shared_ptr<const Binding>>;

// Bindings that are there and not called now: why, by their full names.
using Resting = std::map<std::string, std::string, std::less<>>;

// All apps of the server that have points, and what customers have bound to them.
struct Apps {
  std::vector<std::shared_ptr<const App>> all;  // of folders
  NameTable<AppShares> hosts;                   // deployed, by name: live ones and previews
  NameTable<AppShares> live;                    // deployed, by `app_key`
  NameTable<Bindings> customers;                // by `customer_key`, each in its order
  NameTable<Resting> resting;                   // likewise

  // The first of a folder that has this name, else what was deployed under it, else the first
  // without names; null: there is none. `host` may have a port.
  std::shared_ptr<const App> find(std::string_view host, unsigned place) const;

  // Those that are live, the one that had all calls before the others first; null: none is.
  std::shared_ptr<const AppShares> served(const TenantName& tenant, const AppName& app) const;

  // What `customer` and the tenants between it and the app's have bound to the point, in order.
  // Costs a look for each of these tenants, however many others there are.
  Bindings bound(const App& app, std::string_view point, const TenantName& customer) const;
  // One of them, by its full name (binding_record.h); null: there is none now.
  std::shared_ptr<const Binding> bound(const TenantName& tenant, const AppName& app,
                                       std::string_view point, std::string_view full_name) const;
  // Why one of them is not called, though it is there; nothing: it is called, or there is none.
  std::optional<std::string> why_resting(const TenantName& tenant, const AppName& app,
                                         std::string_view point, std::string_view full_name) const;

  // Whether it is more than a preview.
  bool is_live(const App& app) const;

  // Whose events are delivered, in no order; an app may come twice.
  template <typename Visit>
  void each_live(Visit visit) const {
    for (const auto& app : all) visit(*app);
    live.each([&](const std::string&, const std::shared_ptr<const AppShares>& shares) {
      visit(*shares->all.front().app);
    });
  }
};

std::string app_key(const TenantName& tenant, const AppName& app);
std::string customer_key(const TenantName& tenant, const AppName& app, std::string_view point,
                         const TenantName& customer);

// Who is asked, and in which order: the point's own bindings that concern `tenant` (all, if there
// is none) and those of customers; of all of them those whose share `subject` falls in.
std::vector<const Binding*> chosen(const Point& point, const std::optional<TenantName>& tenant,
                                   const Bindings& customers, std::string_view subject);

}  // namespace carrel::hook
