#include "base/node_key.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <system_error>

#include "base/fd.h"
#include "base/hex.h"

namespace carrel {
namespace {

std::unexpected<Error> cannot(std::string_view what, const std::filesystem::path& path) {
  return fail(Code::io, fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

std::unexpected<Error> not_ours(const std::filesystem::path& path) {
  return fail(
      Code::permission_denied,
      fmt::format("{} is owned by another user or open to others", path.string()),
      "give it to this user and take the rights of others away (chmod go-rwx), or name another place");
}

// Written under another name first: whoever finds the key finds all of it, and the first link wins.
Result<void> make_key(const std::filesystem::path& file) {
  NodeKey key;
  if (getrandom(key.data(), key.size(), 0) != static_cast<ssize_t>(key.size()))
    return cannot("draw", file);
  const std::string draft = fmt::format("{}.{}", file.string(), getpid());
  const Fd out(open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  const bool written =
      out && write(out.get(), key.data(), key.size()) == static_cast<ssize_t>(key.size()) &&
      fsync(out.get()) == 0 && (link(draft.c_str(), file.c_str()) == 0 || errno == EEXIST);
  const int cause = errno;
  unlink(draft.c_str());
  errno = cause;
  if (!written) return cannot("make", file);
  return {};
}

Result<NodeKey> read_key(const Fd& in, const std::filesystem::path& file) {
  struct stat status{};
  if (fstat(in.get(), &status) != 0) return cannot("read", file);
  if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0)
    return not_ours(file);
  NodeKey key;
  if (status.st_size != static_cast<off_t>(key.size()) ||
      read(in.get(), key.data(), key.size()) != static_cast<ssize_t>(key.size())) {
    return fail(Code::io, fmt::format("{} is not a key of {} bytes", file.string(), key.size()),
                "remove it: a new one is made, and what the old one protected is made again");
  }
  return key;
}

constexpr const char* kVariable = "CARREL_NODE_KEY";

// The memory is wiped, as /proc/PID/environ shows it.
Result<std::optional<NodeKey>> take_key_of_environment() {
  char* const text = getenv(kVariable);
  if (text == nullptr) return std::nullopt;
  const auto key = parse_node_key(text);
  explicit_bzero(text, strlen(text));
  unsetenv(kVariable);
  if (!key) return std::unexpected(Error(key.error()).within(kVariable));
  return *key;
}

const Result<std::optional<NodeKey>>& given_key() {
  static const Result<std::optional<NodeKey>> given = take_key_of_environment();
  return given;
}

}  // namespace

Result<NodeKey> open_node_key(const std::filesystem::path& file) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    const Fd in(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (in) return read_key(in, file);
    if (errno != ENOENT) return cannot("open", file);
    if (attempt == 0) CARREL_TRY_VOID(make_key(file));
  }
  return cannot("open", file);
}

Result<NodeKey> parse_node_key(std::string_view digits) {
  NodeKey key;
  if (!from_hex(digits, key))
    return fail(Code::invalid_config, "the node key is not 64 hexadecimal digits",
                "make one with: openssl rand -hex 32; or give none, and a key file is used");
  return key;
}

void take_node_key() { given_key(); }

Result<NodeKey> node_key_from(const std::filesystem::path& file) {
  const auto& given = given_key();
  if (!given) return std::unexpected(given.error());
  if (*given) return **given;
  return open_node_key(file);
}

Result<void> open_private_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (folder.has_parent_path()) std::filesystem::create_directories(folder.parent_path(), ignored);
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return cannot("make", folder);
  struct stat status{};
  if (lstat(folder.c_str(), &status) != 0) return cannot("look at", folder);
  if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077) != 0)
    return not_ours(folder);
  return {};
}

}  // namespace carrel
