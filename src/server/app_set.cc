#include "server/app_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace carrel::server {
namespace {

Result<void> check_names(const std::vector<LoadedApp>& apps) {
  std::map<std::string, const LoadedApp*> owners;
  for (const LoadedApp& app : apps) {
    std::vector<std::string> names = app.site->hosts;
    names.push_back(app.info.name);
    for (const std::string& name : names) {
      const auto [owner, added] = owners.emplace(name, &app);
      if (added) continue;
      return fail(Code::invalid_config, fmt::format("two apps are called \"{}\"", name),
                  "give each app a name of its own in [app], and each host name to one app");
    }
  }
  return {};
}

// Texts of several errors one below the other.
Result<void> joined(const std::vector<Error>& errors) {
  if (errors.empty()) return {};
  if (errors.size() == 1) return std::unexpected(errors.front());
  std::string text;
  for (const Error& error : errors) text += (text.empty() ? "" : "\n") + error.describe();
  return fail(errors.front().code(), text);
}

}  // namespace

Result<void> AppSet::load_all() {
  std::vector<LoadedApp> loaded;
  std::vector<std::filesystem::path> paths;
  std::vector<Error> errors;
  for (const AppSource& source : sources_) {
    auto app = loader_.load(source);
    if (app) {
      loaded.push_back(std::move(*app));
      paths.push_back(source.path);
    } else {
      errors.push_back(std::move(app).error());
    }
  }
  CARREL_TRY_VOID(joined(errors));
  CARREL_TRY_VOID(check_names(loaded));
  apps_ = std::move(loaded);
  paths_ = std::move(paths);
  return {};
}

Result<void> AppSet::reload_all() {
  std::vector<LoadedApp> loaded;
  std::vector<std::filesystem::path> paths;
  std::vector<Error> errors;
  for (const AppSource& source : sources_) {
    auto app = loader_.load(source);
    if (app) {
      loaded.push_back(std::move(*app));
    } else {
      const auto before = std::ranges::find(paths_, source.path);
      errors.push_back(std::move(app).error());
      if (before == paths_.end()) continue;
      LoadedApp& kept = apps_[static_cast<std::size_t>(before - paths_.begin())];
      kept.info.problem = errors.back().message();
      loaded.push_back(kept);
    }
    paths.push_back(source.path);
  }
  if (auto checked = check_names(loaded); !checked) {
    errors.push_back(std::move(checked).error());
  } else {
    apps_ = std::move(loaded);
    paths_ = std::move(paths);
  }
  return joined(errors);
}

std::vector<std::shared_ptr<const function::Site>> AppSet::sites() const {
  std::vector<std::shared_ptr<const function::Site>> sites;
  sites.reserve(apps_.size());
  for (const LoadedApp& app : apps_) sites.push_back(app.site);
  return sites;
}

std::vector<std::shared_ptr<const hook::App>> AppSet::hooks() const {
  std::vector<std::shared_ptr<const hook::App>> hooks;
  for (const LoadedApp& app : apps_) {
    if (!app.hooks->points.empty()) hooks.push_back(app.hooks);
  }
  return hooks;
}

std::vector<WatchedFolder> AppSet::folders() const {
  std::vector<WatchedFolder> folders;
  for (const LoadedApp& app : apps_)
    folders.insert(folders.end(), app.folders.begin(), app.folders.end());
  return folders;
}

}  // namespace carrel::server
