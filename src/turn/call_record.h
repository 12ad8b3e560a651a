// The record of a turn's calls to the outside, so that a turn that is run again makes none twice.
//
// A turn that lost a conflict is run from the start. As long as it issues the same requests in the
// same order, it is given the responses of the first run; one that asks for something else cannot
// be run again, for the outside has seen the first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace carrel::turn {

struct RecordedCall {
  std::string request;  // the digest of the message as the guest wrote it, but for chunks
  // Bytes of the body, to which the request came before it was answered: the rest was not wanted.
  std::optional<std::uint64_t> cut = std::nullopt;
  std::string head;  // of the response, as the guest reads it
  std::string body;
  std::string trailers;  // as lines
  bool chunked = false;  // the guest reads the body in chunks
  bool failed = false;   // it had no response; `failure` is the errno the guest got
  int failure = 0;
  bool complete = false;  // to the end of the body: else the guest may have seen a part
};

inline constexpr std::size_t kMaxRecorded = 2 << 20;  // bytes of a turn's responses

// Owner: the turn's State. Thread: its shard.
class CallRecord {
 public:
  // The turn starts over. False: its calls cannot be given again (too large, or never complete).
  bool rewind();
  bool replaying() const { return next_ < calls_.size(); }

  // The response that was recorded for the next call, if its request was the same. Null: it is a
  // new call (then `begin` it), or it differs (`diverged`).
  std::shared_ptr<const RecordedCall> replay(const std::string& request);
  // The next call's, whose request is not whole yet: whoever asks compares it, and tells.
  std::shared_ptr<const RecordedCall> next();
  void diverge() { diverged_ = true; }
  bool diverged() const { return diverged_; }

  // A new call; filled in by the caller while the response comes, and with the request's digest if
  // that is not known yet. Its number from 0 is `count() -
  // 1`. Beyond kMaxRecorded bytes of all calls none is kept, and the turn is not run again.
  std::shared_ptr<RecordedCall> begin(std::string request);
  // Of the response: its head, which stays as it is read from there, bytes of its body, and what
  // follows that.
  void keep_head(RecordedCall& call, std::string head);
  void keep(RecordedCall& call, std::string_view bytes);
  void keep_trailers(RecordedCall& call, std::string trailers);
  std::size_t count() const { return next_; }

 private:
  bool has_room_for(std::size_t bytes);

  std::vector<std::shared_ptr<RecordedCall>> calls_;
  std::size_t next_ = 0;
  std::size_t bytes_ = 0;
  bool too_large_ = false, diverged_ = false;
};

}  // namespace carrel::turn
