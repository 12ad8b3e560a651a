// The response as the guest reads it: an HTTP message, from the record of an earlier run or as it
// arrives, which is kept for another.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "net/caller.h"
#include "turn/call_record.h"
#include "wasi/node.h"

namespace carrel::capability::http {

// Owner: the open file. Thread: the shard's. `calls` outlives it.
class Answer {
 public:
  explicit Answer(turn::CallRecord& calls) : calls_(calls) {}

  // Of an earlier run.
  void replay(std::shared_ptr<const turn::RecordedCall> recorded) { kept_ = std::move(recorded); }
  // Of this one.
  void record(std::shared_ptr<turn::RecordedCall> record) { kept_ = record_ = std::move(record); }
  // Its head is there, or more of its body. `response` outlives this.
  void arrive(const net::OutgoingRequest& request, net::IncomingResponse& response);
  // Nothing more comes of it than `number`.
  void fail(wasi::Errno number);

  // There are bytes to read beside the body's.
  bool has_text() const;
  // Nothing is left.
  bool over() const { return response_ == nullptr || response_->body().finished(); }
  std::size_t read(wasi::Buffers into);

 private:
  std::size_t read_part(std::span<std::byte> into);
  std::size_t read_kept(std::span<std::byte> into);
  std::size_t read_body(std::span<std::byte> into);
  std::size_t read_chunk(std::span<std::byte> into);
  void next_chunk();
  void see_end();

  turn::CallRecord& calls_;
  std::shared_ptr<const turn::RecordedCall> kept_;  // null: no call
  std::shared_ptr<turn::RecordedCall> record_;      // null: of an earlier run
  net::IncomingResponse* response_ = nullptr;
  std::size_t position_ = 0;  // in what is kept: of a call of this run, the head only
  std::string chunk_;         // of a response that is read in chunks: the one being read
  std::size_t chunk_at_ = 0;
  bool last_chunk_ = false, failed_ = false;
};

}  // namespace carrel::capability::http
