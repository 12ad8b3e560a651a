// A file that is there when it is whole: written beside its place under another name, then renamed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "app/oci/sink.h"
#include "base/fd.h"
#include "base/result.h"

namespace carrel::oci {

// Owner and thread: whoever makes it. Stops: without `keep` nothing is left.
class NewFile final : public Sink {
 public:
  // In the folder of `place`. Errors: io.
  static Result<NewFile> make(std::filesystem::path place);
  NewFile(NewFile&&) noexcept = default;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile() override;

  // Errors: io, store_full.
  Result<void> write(std::string_view bytes) override;
  std::uint64_t size() const { return size_; }
  // All of it. Errors: io.
  Result<std::string> content() const override;
  void clear() override;

  // Puts it in its place, over what is there. Errors: io.
  Result<void> keep();
  // The same, somewhere else in its file system.
  Result<void> keep_as(std::filesystem::path place);

 private:
  NewFile(std::filesystem::path place, std::filesystem::path name, Fd file)
      : place_(std::move(place)), name_(std::move(name)), file_(std::move(file)) {}

  std::filesystem::path place_, name_;
  Fd file_;
  std::uint64_t size_ = 0;
};

}  // namespace carrel::oci
