// The reply to one request as bytes on the connection: its head, its framing, and what is checked
// about them.
#pragma once

#include <memory>

#include "async/shard.h"
#include "net/body.h"
#include "net/channel.h"
#include "net/http.h"
#include "net/parser.h"

namespace carrel::net {

// Owner: its connection, for all its requests in turn. Thread: its shard.
class Reply final : public ReplySink {
 public:
  Reply(async::Shard& shard, Channel& channel, Body& body)
      : shard_(shard), channel_(channel), body_(body) {}
  ~Reply() override { *alive_ = false; }

  enum class Persistence : unsigned char { keep, close };
  void begin(const Request& request, Persistence persistence);

  // For a reply that has not started: the connection ends with it.
  void close_after() { persistence_ = started() ? persistence_ : Persistence::close; }

  bool started() const override { return state_ != State::fresh; }
  async::Task<Result<void>> send(ReplyHead head, std::string_view body) override;
  async::Task<Result<void>> start(ReplyHead head, std::optional<std::uint64_t> length) override;
  async::Task<Result<void>> write(std::string_view bytes) override;
  async::Task<Result<void>> finish() override;
  void give_trailers(const Fields& trailers) override { trailers_ = trailers; }
  void abort() override;

  bool finished() const { return state_ == State::finished; }
  Persistence persistence() const { return persistence_; }
  int status() const override { return status_; }
  // The handler waits only to let others have their turn.
  bool pausing() const { return pausing_; }

 private:
  enum class State : unsigned char { fresh, started, finished, aborted };
  enum class Coding : unsigned char { none, length, chunked, until_close };

  bool takes_trailers() const;
  Result<void> put_head(const ReplyHead& head, std::optional<std::uint64_t> length);
  void put_framing(std::optional<std::uint64_t> length);
  Result<void> put_end();
  async::Task<Result<void>> send_all(std::string_view body);
  void flush_soon();

  async::Shard& shard_;
  Channel& channel_;
  Body& body_;
  const Request* request_ = nullptr;
  Fields trailers_;

  bool head_only_ = false, old_ = false;  // old: HTTP/1.0
  Persistence persistence_ = Persistence::keep;
  State state_ = State::fresh;
  Coding coding_ = Coding::none;
  std::uint64_t left_ = 0;  // Coding::length
  int status_ = 0;
  std::size_t in_one_go_ = 0;  // written since others had their turn
  bool pausing_ = false, flush_scheduled_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace carrel::net
