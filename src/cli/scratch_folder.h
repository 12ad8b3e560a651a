// A private temporary folder that is gone with its owner.
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"

namespace carrel::cli {

// Only this user may enter it.
class ScratchFolder {
 public:
  // Errors: io.
  static Result<std::unique_ptr<ScratchFolder>> make();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit ScratchFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace carrel::cli
