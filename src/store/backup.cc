#include "store/backup.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <cstring>

#include "base/fd.h"
#include "store/database_folder.h"
#include "store/paused.h"

namespace carrel::store {
namespace {

namespace fs = std::filesystem;

Error io_error(std::string_view what, const fs::path& path, const std::error_code& error) {
  return Error(error == std::errc::no_space_on_device ? Code::store_full : Code::io,
               fmt::format("cannot {} {}: {}", what, path.string(), error.message()));
}

// Removes what a failed copy left, unless told that it is whole.
class Partial {
 public:
  explicit Partial(fs::path path) : path_(std::move(path)) { remove(); }
  Partial(const Partial&) = delete;
  Partial& operator=(const Partial&) = delete;
  ~Partial() {
    if (!path_.empty()) remove();
  }
  const fs::path& path() const { return path_; }
  Result<void> becomes(const fs::path& target) {
    std::error_code error;
    fs::rename(path_, target, error);
    if (error) return std::unexpected(io_error("rename", path_, error));
    path_.clear();
    return {};
  }

 private:
  void remove() const {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  fs::path path_;
};

std::unexpected<Error> stopped() { return fail(Code::shutting_down, "the backup was stopped"); }

enum class Sharing : std::uint8_t { links, copies };

Result<void> copy_one(const fs::path& from, const fs::path& to, Sharing sharing) {
  std::error_code error;
  if (sharing == Sharing::links) {
    fs::create_hard_link(from, to, error);
    if (!error) return {};
    error.clear();
  }
  fs::copy_file(from, to, error);
  if (error) return std::unexpected(io_error("copy", from, error));
  return {};
}

// Files and folders only: what else lies there is not ours, nor is a part that is being written.
// Absent: nothing to copy.
Result<void> copy_tree(const fs::path& from, const fs::path& to, Sharing sharing,
                       const std::stop_token& stop) {
  std::error_code error;
  if (!fs::exists(from, error)) return {};
  fs::create_directories(to, error);
  if (error) return std::unexpected(io_error("make", to, error));
  for (fs::directory_iterator it(from, error), end; !error && it != end; it.increment(error)) {
    if (stop.stop_requested()) return stopped();
    const auto status = it->symlink_status(error);
    error.clear();
    if (it->path().extension() == ".new") continue;
    const auto target = to / it->path().filename();
    if (fs::is_directory(status)) CARREL_TRY_VOID(copy_tree(it->path(), target, sharing, stop));
    if (fs::is_regular_file(status)) CARREL_TRY_VOID(copy_one(it->path(), target, sharing));
  }
  if (error) return std::unexpected(io_error("read", from, error));
  return {};
}

Result<void> sync_one(const fs::path& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) {
    return std::unexpected(io_error("sync", path, {errno, std::generic_category()}));
  }
  return {};
}

Result<void> sync_tree(const fs::path& folder, const std::stop_token& stop) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (stop.stop_requested()) return stopped();
    CARREL_TRY_VOID(sync_one(it->path()));
  }
  if (error) return std::unexpected(io_error("read", folder, error));
  return sync_one(folder);
}

fs::path whole_path(const fs::path& path) {
  std::error_code error;
  auto whole = fs::absolute(path, error).lexically_normal();
  return whole.has_filename() ? whole : whole.parent_path();  // "backup/" is "backup"
}

Result<void> check_target(const fs::path& target, const fs::path& store) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(target, error))) {
    return fail(Code::already_exists, fmt::format("{} exists already", target.string()),
                "name a folder that does not exist");
  }
  const auto where = fs::weakly_canonical(target, error);
  const auto from_store = where.lexically_relative(fs::weakly_canonical(store, error));
  if (!from_store.empty() && *from_store.begin() != "..") {
    return fail(Code::invalid_argument, fmt::format("{} lies in the store", target.string()),
                "name a folder outside of it");
  }
  return {};
}

// What another backup left there goes: the name is nobody else's.
fs::path partial(const fs::path& target) { return target.string() + ".carrel-partial"; }

}  // namespace

Result<void> make_backup(std::shared_ptr<Database> database, Parts& parts, const fs::path& folder,
                         const std::stop_token& stop) {
  const auto target = whole_path(folder);
  CARREL_TRY_VOID(check_target(target, parts.folder().parent_path()));
  Partial made(partial(target));
  const Parts::Hold hold(parts);  // what the cut refers to is there until it has been copied
  CARREL_TRY_VOID(database->checkpoint(made.path()));
  database.reset();
  std::error_code error;
  fs::permissions(made.path(), fs::perms::owner_all, error);
  if (error) return std::unexpected(io_error("close to others", made.path(), error));
  CARREL_TRY_VOID(copy_tree(parts.folder(), parts_folder(made.path()), Sharing::links, stop));
  CARREL_TRY_VOID(mark_paused(made.path()));
  CARREL_TRY_VOID(sync_tree(made.path(), stop));
  CARREL_TRY_VOID(made.becomes(target));
  return sync_one(target.parent_path());
}

Result<void> restore_backup(const fs::path& backup, const fs::path& folder) {
  const auto target = whole_path(folder);
  CARREL_TRY_VOID(check_folder(backup));
  std::error_code error;
  if (fs::exists(target, error) && !fs::is_empty(target, error)) {
    return fail(Code::already_exists, fmt::format("{} is not empty", target.string()),
                "move it away first; nothing was changed");
  }
  fs::create_directories(target.parent_path(), error);
  if (error) return std::unexpected(io_error("make", target.parent_path(), error));
  Partial made(partial(target));
  CARREL_TRY_VOID(copy_tree(backup, made.path(), Sharing::copies, {}));
  CARREL_TRY_VOID(check_folder(made.path()));
  CARREL_TRY_VOID(sync_tree(made.path(), {}));
  CARREL_TRY_VOID(made.becomes(target));
  return sync_one(target.parent_path());
}

}  // namespace carrel::store
