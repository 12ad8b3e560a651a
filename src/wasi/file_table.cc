#include "wasi/file_table.h"

#include <algorithm>
#include <utility>

namespace carrel::wasi {

FileTable::Slot* FileTable::find(Fd fd) {
  const auto index = static_cast<std::size_t>(fd);
  return index < slots_.size() && slots_[index].open ? &slots_[index] : nullptr;
}

Io<Fd> FileTable::add(Descriptor descriptor) {
  if (!has_room()) return fail(Errno::mfile);
  while (lowest_free_ < slots_.size() && slots_[lowest_free_].open) ++lowest_free_;
  if (lowest_free_ == slots_.size()) slots_.emplace_back();
  slots_[lowest_free_] = {true, std::move(descriptor)};
  ++open_;
  return Fd(lowest_free_++);
}

void FileTable::append(Descriptor descriptor, bool open) {
  slots_.push_back({open, std::move(descriptor)});
  if (open) ++open_;
}

Io<Descriptor*> FileTable::get(Fd fd) {
  Slot* slot = find(fd);
  if (slot == nullptr) return fail(Errno::badf);
  return &slot->descriptor;
}

Io<Descriptor*> FileTable::get(Fd fd, Rights needed) {
  auto found = get(fd);
  if (!found) return found;
  const Rights missing = needed & ~(*found)->rights;
  if (missing == 0) return found;
  return fail((missing & (kReadRights | kWriteRights)) != 0 ? Errno::badf : Errno::notcapable);
}

Io<Descriptor> FileTable::take(Fd fd) {
  Slot* slot = find(fd);
  if (slot == nullptr) return fail(Errno::badf);
  slot->open = false;
  --open_;
  lowest_free_ = std::min(lowest_free_, static_cast<std::size_t>(fd));
  return std::exchange(slot->descriptor, {});
}

Io<Descriptor> FileTable::renumber(Fd from, Fd to) {
  if (find(from) == nullptr || find(to) == nullptr) return fail(Errno::badf);
  auto moved = take(from);
  return std::exchange(find(to)->descriptor, std::move(*moved));
}

}  // namespace carrel::wasi
