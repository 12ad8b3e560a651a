// What the store keeps of deployed apps, under the tenant they belong to.
//
//   Kind::app      store "", name APP                       -> JSON: which versions are served
//   Kind::version  store APP, name: number (8, big-endian)  -> parts, JSON (store/part_list.h)
//
// A version never changes. What is served changes by replacing the one record of the app, so going
// live and going back are one commit each.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/deployment/bundle.h"
#include "base/clock.h"
#include "base/id.h"
#include "store/transaction.h"

namespace carrel::deployment {

inline constexpr std::size_t kMostVersions = 30;  // kept of an app besides those that are served
inline constexpr std::size_t kMostBefore = 10;    // to which an app can go back
inline constexpr std::size_t kMostPreviews = 5;

// Value types.
struct Version {
  std::uint64_t number = 0;
  WallTime created;
  std::string by;                              // who made it
  std::string message;                         // what they said about it
  std::map<std::string, std::string> sources;  // of modules from registries: what pins each
  Bundle bundle;
};

struct Share {
  std::uint64_t version = 0;
  unsigned percent = 100;
  bool operator==(const Share&) const = default;
};

struct AppRecord {
  std::uint64_t revision = 0;           // how often it has changed
  std::uint64_t next = 1;               // number of the next version
  std::vector<Share> live;              // none, one, or two that share 100 percent: first
                                        // the one that had them all
  std::vector<std::uint64_t> before;    // what was live alone, the last one last
  std::vector<std::uint64_t> previews;  // served under names of their own, the last one last
  std::optional<WallTime> removed;      // when its data goes; nothing: it is in use

  bool serves(std::uint64_t version) const;  // live, or as a preview
  bool needs(std::uint64_t version) const;   // it serves it, or may go back to it
};

std::string encode(const AppRecord& app);
Result<AppRecord> decode_app(std::string_view record);  // Errors: data_corrupt

std::string encode(const Version& version);
Result<Version> decode_version(std::string_view name, std::string_view record);

inline const store::Place kApps{.kind = store::Kind::app, .store = ""};
store::Place versions_of(const AppName& app);
std::string name_of_version(std::uint64_t number);
std::optional<std::uint64_t> version_named(std::string_view name);

// An app of a tenant.
struct Scope {
  TenantName tenant;
  AppName app;
  auto operator<=>(const Scope&) const = default;
};

// The changes there are. Errors: invalid_argument, not_found, in_use, saying why.
//
// `percent` of the requests go to `version`, the others to what is live; 100: all.
Result<void> activate(AppRecord& app, std::uint64_t version, unsigned percent);
// To what was live before; ends a split in favour of the version that had all requests before it.
Result<void> roll_back(AppRecord& app);
void preview(AppRecord& app, std::uint64_t version);
Result<void> end_preview(AppRecord& app, std::uint64_t version);

}  // namespace carrel::deployment
