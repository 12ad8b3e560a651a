// Tells when files below some folders have changed (inotify).
//
// Hidden folders and those that build tools fill (target, node_modules) are left out unless named
// themselves. The number of watched folders is bounded: beyond it, what was found first is watched.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <set>
#include <vector>

#include "base/result.h"

namespace carrel::server {

enum class Depth { whole_tree, folder_only };

struct WatchedFolder {
  std::filesystem::path folder;
  Depth depth = Depth::whole_tree;
};

// Owner and thread: the thread that waits for it. Stops: destruction.
class FolderWatch {
 public:
  // Errors: io when the system gives no inotify instance.
  static Result<std::unique_ptr<FolderWatch>> make();
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  // Watches these as well, and folders made below them since. Folders that are not there are
  // skipped. Whether any of them was not watched before: what is in it may have changed unseen.
  bool add(const std::vector<WatchedFolder>& folders);

  // Readable when something may have changed.
  int descriptor() const { return descriptor_; }

  // Takes what has been reported. True: a file that matters changed.
  bool take_changes();

  // Waits until nothing has changed for `quiet`, at most `longest`: a rebuild writes in several
  // steps.
  void settle(std::chrono::milliseconds quiet, std::chrono::milliseconds longest);

 private:
  explicit FolderWatch(int descriptor) : descriptor_(descriptor) {}
  void add_one(const std::filesystem::path& folder);
  void add_tree(const std::filesystem::path& folder);

  int descriptor_;
  std::set<int> watches_;
};

}  // namespace carrel::server
