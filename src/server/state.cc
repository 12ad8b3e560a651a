#include "server/state.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/digest.h"

namespace carrel::server {
namespace fs = std::filesystem;
namespace {

// An eighth of the machine's memory, within reason.
std::uint64_t cache_bytes() {
  constexpr std::uint64_t kLeast = 64ULL << 20, kMost = 4ULL << 30;
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGE_SIZE));
  return std::clamp(pages * page / 8, kLeast, kMost);
}

}  // namespace

fs::path store_folder(const ServerOptions& options) {
  if (options.style == Style::production || options.apps.empty()) return options.state / "store";
  std::error_code ignored;
  const fs::path app = fs::weakly_canonical(options.apps.front().path, ignored);
  return options.state / "dev" / sha256_hex(app.string()).substr(0, 16) / "store";
}

Result<std::unique_ptr<NodeStore>> NodeStore::open(const fs::path& folder, const NodeKey& key,
                                                   observe::Log& events) {
  std::error_code error;
  fs::create_directories(folder.parent_path(), error);
  if (error) {
    return fail(Code::io, fmt::format("cannot make the folder {}: {}",
                                      folder.parent_path().string(), error.message()));
  }
  auto store = store::Store::open(
      {.folder = folder, .cache_bytes = cache_bytes(), .on_damage = [&events](const Error& what) {
         events.write(observe::Level::error, "store_damaged",
                      {{"code", code_name(what.code())},
                       {"message", what.message()},
                       {"help",
                        "write the blob again, or restore a backup; with the server stopped, "
                        "`carrel store check` lists all that is damaged"}});
       }});
  if (!store) return std::unexpected(std::move(store).error().within("the store"));
  return std::unique_ptr<NodeStore>(new NodeStore(std::move(*store), key));
}

}  // namespace carrel::server
