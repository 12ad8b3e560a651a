// A reply kept in memory: for turns that no connection waits for (command line, test cases, tests).
#pragma once

#include <string>

#include "net/http.h"

namespace carrel::net {

// Thread: one shard.
class MemoryReply final : public ReplySink {
 public:
  bool started() const override { return started_; }
  async::Task<Result<void>> send(ReplyHead head, std::string_view body) override {
    head_ = std::move(head);
    body_.assign(body);
    started_ = finished_ = true;
    co_return Result<void>();
  }
  async::Task<Result<void>> start(ReplyHead head, std::optional<std::uint64_t>) override {
    head_ = std::move(head);
    started_ = true;
    co_return Result<void>();
  }
  async::Task<Result<void>> write(std::string_view bytes) override {
    body_ += bytes;
    co_return Result<void>();
  }
  async::Task<Result<void>> finish() override {
    finished_ = true;
    co_return Result<void>();
  }
  void give_trailers(const Fields& trailers) override { trailers_ = trailers; }
  void abort() override { aborted_ = true; }

  const ReplyHead& head() const { return head_; }
  const std::string& body() const { return body_; }
  const Fields& trailers() const { return trailers_; }
  bool finished() const { return finished_; }
  bool aborted() const { return aborted_; }

 private:
  ReplyHead head_;
  std::string body_;
  Fields trailers_;
  bool started_ = false, finished_ = false, aborted_ = false;
};

}  // namespace carrel::net
