#include "wasi/wasi.h"

#include "base/result.h"
#include "wasi/context.h"

namespace carrel::wasi {
namespace {

// A stream's rights are those of a file; without the position's, which also tell a terminal from a
// file.
Descriptor standard(IoContext& io, std::unique_ptr<OpenFile> file, Rights direction) {
  Descriptor made;
  if (!file) return made;
  if (const auto stat = file->stat(io)) made.type = stat->type;
  made.rights = (kFileRights & ~(kReadRights | kWriteRights | kPositionRights)) | direction;
  if (file->seekable()) made.rights |= kPositionRights;
  made.file = std::move(file);
  return made;
}

Descriptor preopened(Preopen&& preopen) {
  return {.type = FileType::folder,
          .rights = kFolderRights,
          .inheriting = kAllRights,
          .preopened = true,
          .preopen_name = std::move(preopen.name),
          .path = std::move(preopen.path)};
}

}  // namespace

Wasi::State::State(async::Shard& on, const Clock& by, Environment environment)
    : shard(on),
      clock(by),
      arguments(std::move(environment.arguments)),
      variables(std::move(environment.variables)),
      tree(std::move(environment.tree)),
      files(environment.max_open_files),
      memory_left(environment.private_memory),
      origin(by.now()) {
  Context io(*this, nullptr, wasm::Suspends::never);
  for (auto [file, direction] : {std::pair(&environment.standard_in, kReadRights),
                                 std::pair(&environment.standard_out, kWriteRights),
                                 std::pair(&environment.standard_error, kWriteRights)}) {
    const bool open = *file != nullptr;
    files.append(standard(io, std::move(*file), direction), open);
  }
  for (Preopen& preopen : environment.preopens) files.append(preopened(std::move(preopen)), true);
}

Io<void> Wasi::State::close(IoContext& io, Descriptor& descriptor) {
  if (!descriptor.file) return {};
  auto closed = descriptor.file->close(io);
  descriptor.file.reset();
  if (!closed && first_close_error == Errno::success) first_close_error = closed.error();
  return closed;
}

Wasi::Wasi(async::Shard& shard, const Clock& clock, Environment environment)
    : state_(std::make_unique<State>(shard, clock, std::move(environment))) {}
Wasi::~Wasi() = default;

Io<void> Wasi::close_all() {
  Context io(*state_, nullptr, wasm::Suspends::never);
  for (std::size_t i = 0; i < state_->files.size(); ++i) {
    auto open = state_->files.take(Fd(i));
    if (open) (void)state_->close(io, *open);
  }
  if (state_->first_close_error != Errno::success) return fail(state_->first_close_error);
  return {};
}

}  // namespace carrel::wasi
