// Walks the names of one store as a turn sees them: a view's, with the turn's own changes on top.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/database.h"

namespace carrel::store {

struct OwnName {
  std::string name;
  bool there = false;
  std::uint64_t size = 0, expires = 0;
};

// Names that have expired by `now` are left out. Thread: one at a time.
class MergedWalk {
 public:
  // `prefix`: of the store's keys. `own` in order of names.
  MergedWalk(std::shared_ptr<const DatabaseView> view, std::string prefix, std::vector<OwnName> own,
             std::uint64_t now, Reach reach);
  Cursor::State seek(std::string_view name);
  Cursor::State next();
  const std::string& name() const { return name_; }
  std::uint64_t size() const { return size_; }
  std::uint64_t expires() const { return expires_; }
  Error error() const { return error_; }

 private:
  Cursor::State settle();
  std::string prefix_;
  std::vector<OwnName> own_;
  std::size_t at_ = 0;
  std::uint64_t now_;
  Cursor cursor_;
  std::string name_;
  std::uint64_t size_ = 0, expires_ = 0;
  Error error_{Code::internal};
};

}  // namespace carrel::store
