// A response that is whole in memory.
#pragma once

#include <string>
#include <utility>

#include "async/stream.h"
#include "net/caller.h"

namespace carrel::cli {

class CannedResponse final : public net::IncomingResponse {
 public:
  CannedResponse(net::ReplyHead head, std::string body)
      : head_(std::move(head)), body_(std::move(body)) {}
  const net::ReplyHead& head() const override { return head_; }
  async::ByteSource& body() override { return body_; }

 private:
  net::ReplyHead head_;
  async::MemorySource body_;
};

}  // namespace carrel::cli
