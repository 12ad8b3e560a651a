#include "server/request_figures.h"

#include <algorithm>

namespace carrel::server {

void RequestFigures::write(const net::AccessRecord& record) {
  const int status_class = std::clamp<int>(record.status / 100, 1, kClasses) - 1;
  durations_[static_cast<std::size_t>(status_class)].add(record.duration);
  bytes_in_.add(record.bytes_in);
  bytes_out_.add(record.bytes_out);
  if (log_ != nullptr) log_->write(record);
}

}  // namespace carrel::server
