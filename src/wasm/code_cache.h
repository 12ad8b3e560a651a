// The code cache: compiled modules on disk, so that each is compiled once a node.
//
// An entry is a file named by the module's digest and the engine's compatibility (version,
// settings, processor). It ends with a MAC under the node's key, verified before the code is
// mapped: loading foreign bytes would run them. What is damaged, truncated, foreign or made by
// another engine is a miss, and replaced. Any number of processes of one user may share a folder.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "observe/metrics.h"
#include "wasm/compiler.h"
#include "wasm/module.h"

namespace carrel::wasm {

struct CodeCacheOptions {
  std::filesystem::path folder;  // made if need be; ours, and nobody else's (0700)
  std::filesystem::path
      key_file;  // 32 random bytes, made at first use (0600); empty: `node.key` in the folder
  std::uint64_t max_bytes = 0;  // what was used longest ago goes first; 0: no bound
  CompileOptions compile;
};

// Owner: the composition root. Thread-safe; every call may block: for loader threads, never for a
// shard's.
class CodeCache {
 public:
  // Errors: io; permission_denied when the folder or the key is somebody else's or open to others.
  static Result<std::shared_ptr<CodeCache>> open(std::shared_ptr<Engine> engine,
                                                 CodeCacheOptions options);
  CodeCache(const CodeCache&) = delete;
  CodeCache& operator=(const CodeCache&) = delete;

  // The module of that digest (64 hexadecimal digits) if its code is here; null otherwise.
  std::shared_ptr<const Module> find(std::string_view digest) const;

  // Compiles `bytes`, whose digest it is, in a child, keeps the code and loads it. A disk that is
  // full costs only the keeping. Errors: those of compile_in_child.
  Result<std::shared_ptr<const Module>> compile(std::string_view digest,
                                                std::span<const std::byte> bytes) const;

  // May be read at any time.
  struct Figures {
    observe::SharedCounter hits, misses;
    observe::SharedDurations compiled;  // those that went well
    observe::SharedCounter failed;      // those that did not
  };
  const Figures& figures() const { return figures_; }

  // Where the code of a module is or would be.
  std::filesystem::path entry(std::string_view digest) const;

 private:
  using Key = std::array<std::byte, 32>;
  CodeCache(std::shared_ptr<Engine> engine, CodeCacheOptions options, const Key& key)
      : engine_(std::move(engine)), options_(std::move(options)), key_(key) {}

  std::shared_ptr<const Module> look_up(std::string_view digest) const;
  Key mac(std::string_view name, std::span<const std::byte> code) const;
  bool keep(std::string_view digest, std::span<const std::byte> code) const;
  void prune(std::uint64_t added) const;

  std::shared_ptr<Engine> engine_;
  CodeCacheOptions options_;
  Key key_;
  mutable Figures figures_;
  mutable std::mutex prune_mutex_;
  mutable std::optional<std::uint64_t> bytes_;  // in the folder, as far as this process knows
};

}  // namespace carrel::wasm
