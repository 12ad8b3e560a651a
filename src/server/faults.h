// Several errors as one: what is wrong with an app, all of it at once.
#pragma once

#include <filesystem>
#include <vector>

#include "base/error.h"

namespace carrel::server {

// Value type.
class Faults {
 public:
  explicit Faults(std::filesystem::path where) : where_(std::move(where)) {}

  void add(Error error) { errors_.push_back(std::move(error)); }
  bool empty() const { return errors_.empty(); }

  // Precondition: not empty. The code is the first one's.
  Error error() const;

 private:
  std::filesystem::path where_;
  std::vector<Error> errors_;
};

}  // namespace carrel::server
