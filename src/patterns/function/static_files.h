// Static files: a folder's files over HTTP, with content types, entity tags, ranges and caching.
//
// What there is to serve is settled when the folder is opened: names, and the content of small
// files. Large files are read from disk in pieces while they are sent. Nothing outside the folder
// can be reached, symbolic links included; names that begin with a dot are not served; a folder is
// its index.html.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

struct stat;

namespace carrel::function {

struct StaticOptions {
  std::optional<std::chrono::seconds> max_age;  // Cache-Control
  std::uint64_t file_bytes = 1ULL << 20;        // larger files stay on disk
  std::uint64_t total_bytes = 64ULL << 20;      // in memory, all files together
  std::size_t files = 50'000;
};

// Immutable after `open`. Thread-safe: one serves all shards. Owner: the site that serves it.
class StaticFiles {
 public:
  // Reads the folder: blocks. Errors: not_found, io, invalid_config for too many files.
  static Result<std::shared_ptr<const StaticFiles>> open(const std::filesystem::path& folder,
                                                         const StaticOptions& options);
  ~StaticFiles();

  // Answers a GET or HEAD for `raw_rest`, the undecoded part of the path below the route, as
  // HttpTarget::raw_path_info has it. Errors before the reply has started: not_found,
  // method_not_allowed, io; after it: those of the sink. `self` keeps the files while they are
  // sent.
  static async::Task<Result<void>> serve(std::shared_ptr<const StaticFiles> self,
                                         const net::Request& request, std::string_view raw_rest,
                                         net::ReplySink& reply);

  std::size_t count() const { return files_.size(); }
  std::uint64_t bytes_in_memory() const { return in_memory_; }

 private:
  struct File;
  class Descriptor;
  struct Loader;
  StaticFiles();
  const File* find(const std::string& path) const;
  bool is_folder(const std::string& path) const;
  net::ReplyHead head_for(const File& file, std::string_view etag) const;
  static async::Task<Result<void>> send_open(const net::Request& request, const Descriptor& file,
                                             const struct stat& status, net::ReplyHead head,
                                             net::ReplySink& reply);

  std::unique_ptr<Descriptor> folder_;
  StaticOptions options_;
  std::map<std::string, File, std::less<>> files_;  // by path below the folder
  std::uint64_t in_memory_ = 0;
};

}  // namespace carrel::function
