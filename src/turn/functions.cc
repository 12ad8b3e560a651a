#include "turn/functions.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace carrel::turn {

Functions::Functions(std::shared_ptr<const FunctionSource> source, std::vector<std::string> names)
    : source_(std::move(source)), names_(std::move(names)) {}

std::shared_ptr<const Function> Functions::find(std::string_view name) const {
  if (std::ranges::find(names_, name) == names_.end()) return nullptr;
  return source_->find(name);
}

std::vector<std::string> Functions::names() const {
  std::vector<std::string> there;
  for (const std::string& name : names_) {
    if (source_->find(name)) there.push_back(name);
  }
  return there;
}

bool Functions::take(std::string_view name, const Function& function) const {
  const double most = function.rate;
  const Instant now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  auto found = buckets_.find(name);
  if (found == buckets_.end()) {
    found = buckets_.emplace(std::string(name), Bucket{.left = most, .at = now}).first;
  }
  Bucket& bucket = found->second;
  const std::chrono::duration<double> since = now - bucket.at;
  bucket.left = std::min(most, bucket.left + since.count() * most);
  bucket.at = now;
  if (bucket.left < 1) return false;
  bucket.left -= 1;
  return true;
}

}  // namespace carrel::turn
