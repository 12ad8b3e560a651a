#include "turn/call_record.h"

#include <algorithm>

namespace carrel::turn {

bool CallRecord::rewind() {
  next_ = 0;
  const bool whole = std::ranges::all_of(calls_, [](const auto& call) { return call->complete; });
  return whole && !too_large_ && !diverged_;
}

const RecordedCall* CallRecord::replay(const std::string& request) {
  if (next_ >= calls_.size()) return nullptr;
  if (calls_[next_]->request != request) {
    diverged_ = true;
    return nullptr;
  }
  return calls_[next_++].get();
}

std::shared_ptr<RecordedCall> CallRecord::begin(std::string request) {
  auto call = std::make_shared<RecordedCall>();
  call->request = std::move(request);
  calls_.push_back(call);
  next_ = calls_.size();
  return call;
}

void CallRecord::keep(RecordedCall& call, std::string_view bytes) {
  bytes_ += bytes.size();
  if (bytes_ > kMaxRecorded) {
    too_large_ = true;
    call.body.clear();
    return;
  }
  call.body += bytes;
}

}  // namespace carrel::turn
