#include "server/folder_watch.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

namespace carrel::server {
namespace {

constexpr std::size_t kMaxFolders = 2000;
constexpr std::uint32_t kEvents = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM |
                                  IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_ONLYDIR |
                                  IN_DONT_FOLLOW;

bool is_left_out(std::string_view folder) {
  return folder.starts_with('.') || folder == "target" || folder == "node_modules";
}

// What editors leave beside the file that is edited.
bool is_left_over(std::string_view file) {
  return file.starts_with('.') || file.ends_with('~') || file.ends_with(".swp") ||
         file.ends_with(".tmp");
}

bool readable(int descriptor, std::chrono::milliseconds within) {
  pollfd wait{.fd = descriptor, .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, static_cast<int>(within.count())) > 0;
}

}  // namespace

Result<std::unique_ptr<FolderWatch>> FolderWatch::make() {
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) {
    return fail(Code::io, fmt::format("cannot watch for changed files: {}", std::strerror(errno)),
                "raise fs.inotify.max_user_instances");
  }
  return std::unique_ptr<FolderWatch>(new FolderWatch(descriptor));
}

FolderWatch::~FolderWatch() { ::close(descriptor_); }

bool FolderWatch::add(const std::vector<WatchedFolder>& folders) {
  const std::size_t before = watches_.size();
  for (const WatchedFolder& each : folders) {
    if (each.depth == Depth::whole_tree) {
      add_tree(each.folder);
    } else {
      add_one(each.folder);
    }
  }
  return watches_.size() > before;
}

void FolderWatch::add_one(const std::filesystem::path& folder) {
  if (watches_.size() >= kMaxFolders) return;
  // The same folder again gives the same number.
  if (const int watch = ::inotify_add_watch(descriptor_, folder.c_str(), kEvents); watch >= 0)
    watches_.insert(watch);
}

void FolderWatch::add_tree(const std::filesystem::path& folder) {
  add_one(folder);
  std::error_code error;
  const auto skip = std::filesystem::directory_options::skip_permission_denied;
  auto entry = std::filesystem::recursive_directory_iterator(folder, skip, error);
  for (; !error && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(error)) {
    std::error_code unknown;
    if (entry->is_symlink(unknown) || !entry->is_directory(unknown)) continue;
    if (is_left_out(entry->path().filename().native())) {
      entry.disable_recursion_pending();
      continue;
    }
    if (watches_.size() >= kMaxFolders) return;
    add_one(entry->path());
  }
}

bool FolderWatch::take_changes() {
  alignas(inotify_event) std::array<char, 16 << 10> buffer;
  bool changed = false;
  while (true) {
    const ssize_t n = ::read(descriptor_, buffer.data(), buffer.size());
    if (n <= 0) return changed;
    for (std::size_t at = 0; at < static_cast<std::size_t>(n);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = event.len > 0 ? buffer.data() + at + sizeof event : "";
      at += sizeof event + event.len;
      if ((event.mask & IN_IGNORED) != 0) {
        watches_.erase(event.wd);
        continue;
      }
      const bool folder = (event.mask & IN_ISDIR) != 0;
      if (folder ? !is_left_out(name) : !is_left_over(name)) changed = true;
    }
  }
}

void FolderWatch::settle(std::chrono::milliseconds quiet, std::chrono::milliseconds longest) {
  const auto end = std::chrono::steady_clock::now() + longest;
  while (std::chrono::steady_clock::now() < end && readable(descriptor_, quiet)) take_changes();
}

}  // namespace carrel::server
