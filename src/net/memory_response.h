// A response that is whole in memory: of a file, or of a test.
//
// Owner: who asked. Thread: its shard.
#pragma once

#include <string>
#include <utility>

#include "async/stream.h"
#include "net/caller.h"

namespace carrel::net {

class MemoryResponse final : public IncomingResponse {
 public:
  MemoryResponse(ReplyHead head, std::string body)
      : head_(std::move(head)), body_(std::move(body)) {}
  const ReplyHead& head() const override { return head_; }
  async::ByteSource& body() override { return body_; }

 private:
  ReplyHead head_;
  async::MemorySource body_;
};

}  // namespace carrel::net
