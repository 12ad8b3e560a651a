// The apps of this server as they are served now. A reload that fails keeps the app as it was.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "server/app_loader.h"

namespace carrel::server {

// Owner and thread: the thread that runs the server.
class AppSet {
 public:
  AppSet(AppLoader& loader, std::vector<AppSource> sources)
      : loader_(loader), sources_(std::move(sources)) {}

  // Loads every app, at the start. Errors: those of all apps at once; invalid_config when two have
  // the same name or answer to the same host.
  Result<void> load_all();

  // From the next load on.
  void set_sources(std::vector<AppSource> sources) { sources_ = std::move(sources); }

  // Loads every app again. Errors: those of the apps that stay as they were, or stay away.
  Result<void> reload_all();

  std::vector<std::shared_ptr<const function::Site>> sites() const;
  std::vector<std::shared_ptr<const hook::App>> hooks() const;  // that have points
  const std::vector<LoadedApp>& apps() const { return apps_; }
  std::vector<WatchedFolder> folders() const;

 private:
  AppLoader& loader_;
  std::vector<AppSource> sources_;
  std::vector<LoadedApp> apps_;
  std::vector<std::filesystem::path> paths_;  // of each of them
};

}  // namespace carrel::server
