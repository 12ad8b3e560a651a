#include "embed/core.h"

#include <carrel/carrel.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "embed/signals.h"

namespace carrel::embed {
namespace {

constexpr std::uint32_t kSlots = 256;  // instances at once: calls, and what they call in turn

std::filesystem::path variable(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

Result<std::filesystem::path> usual_cache() {
  if (const auto folder = variable("XDG_CACHE_HOME"); folder.is_absolute())
    return folder / "carrel" / "code";
  if (const auto home = variable("HOME"); home.is_absolute())
    return home / ".cache" / "carrel" / "code";
  return fail(Code::invalid_argument, "there is no folder for compiled code: HOME is not set",
              "give carrel_open_options.cache");
}

Result<std::filesystem::path> usual_compiler() {
  Dl_info library{};
  std::filesystem::path folder = ".";
  if (dladdr(reinterpret_cast<const void*>(&carrel_open), &library) != 0)
    folder = std::filesystem::path(library.dli_fname).parent_path();
  std::error_code ignored;
  for (const auto& place : {folder / "carrel-compile", folder / "carrel" / "carrel-compile"}) {
    if (std::filesystem::exists(place, ignored)) return std::filesystem::absolute(place, ignored);
  }
  return fail(Code::not_found,
              fmt::format("carrel-compile is neither in {} nor in its carrel/", folder.string()),
              "install it beside the library, or give carrel_open_options.compiler");
}

}  // namespace

Result<CoreOptions> complete(CoreOptions options) {
  if (options.cache.empty()) {
    CARREL_TRY(options.cache, usual_cache());
  }
  if (options.compiler.empty()) {
    CARREL_TRY(options.compiler, usual_compiler());
  }
  return options;
}

Core::Core(CoreOptions options, std::shared_ptr<wasm::Engine> engine,
           std::shared_ptr<wasm::CodeCache> cache)
    : options_(std::move(options)),
      loader_(std::move(engine), std::move(cache), 1),
      lanes_(loader_) {}

Result<std::unique_ptr<Core>> Core::make(const CoreOptions& options) {
  const SignalsBlocked blocked;
  wasm::EngineSettings settings = wasm::settings_for_this_machine();
  settings.slots = std::min(settings.slots, kSlots);
  CARREL_TRY(auto engine, wasm::Engine::make(settings));
  std::error_code error;
  std::filesystem::create_directories(options.cache.parent_path(), error);
  wasm::CodeCacheOptions kept;
  kept.folder = options.cache;
  kept.compile.program = options.compiler;
  CARREL_TRY(auto cache, wasm::CodeCache::open(engine, std::move(kept)));
  return std::unique_ptr<Core>(new Core(options, std::move(engine), std::move(cache)));
}

}  // namespace carrel::embed
