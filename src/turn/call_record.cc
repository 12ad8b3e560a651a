#include "turn/call_record.h"

#include <algorithm>

namespace carrel::turn {

bool CallRecord::rewind() {
  next_ = 0;
  const bool whole = std::ranges::all_of(calls_, [](const auto& call) { return call->complete; });
  return whole && !too_large_ && !diverged_;
}

std::shared_ptr<const RecordedCall> CallRecord::replay(const std::string& request) {
  if (next_ >= calls_.size()) return nullptr;
  if (calls_[next_]->request != request) {
    diverged_ = true;
    return nullptr;
  }
  return calls_[next_++];
}

std::shared_ptr<const RecordedCall> CallRecord::next() {
  return replaying() ? calls_[next_++] : nullptr;
}

std::shared_ptr<RecordedCall> CallRecord::begin(std::string request) {
  auto call = std::make_shared<RecordedCall>();
  ++next_;
  if (!has_room_for(request.size())) return call;
  call->request = std::move(request);
  calls_.push_back(call);
  return call;
}

void CallRecord::keep_head(RecordedCall& call, std::string head) {
  (void)has_room_for(head.size());
  call.head = std::move(head);
}

void CallRecord::keep_trailers(RecordedCall& call, std::string trailers) {
  (void)has_room_for(trailers.size());
  call.trailers = std::move(trailers);
}

void CallRecord::keep(RecordedCall& call, std::string_view bytes) {
  if (has_room_for(bytes.size())) {
    call.body += bytes;
  } else {
    call.body = {};
  }
}

// What nobody will be given again is let go of.
bool CallRecord::has_room_for(std::size_t bytes) {
  bytes_ += bytes;
  if (bytes_ > kMaxRecorded) {
    too_large_ = true;
    calls_.clear();
  }
  return !too_large_;
}

}  // namespace carrel::turn
