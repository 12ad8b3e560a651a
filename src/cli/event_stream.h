// Server-sent events out of the pieces in which they arrive.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace carrel::cli {

struct StreamEvent {
  std::string name, data;
};

// The error is what the server's last event says: why the caller may not have more.
Result<void> check_end(const StreamEvent& event);

// Value type. Fields besides `event` and `data`, and comments, are passed over; so is a line of
// more than 64 KiB.
class EventStream {
 public:
  // The events that are whole with this piece.
  std::vector<StreamEvent> take(std::string_view piece);
  // Whether there was one.
  bool begun() const { return begun_; }

 private:
  void end_line(std::vector<StreamEvent>& events);
  std::string line_;
  bool too_long_ = false, begun_ = false;
  StreamEvent event_;
};

}  // namespace carrel::cli
