// A request's body as its bytes arrive: nothing is read from the socket that nobody asked for.
#pragma once

#include <optional>

#include "net/buffer.h"
#include "net/channel.h"
#include "net/http.h"
#include "net/parser.h"
#include "net/server.h"

namespace carrel::net {

// Owner: its connection, for all its requests in turn. Thread: its shard.
class Body final : public RequestBody {
 public:
  // `input`: what came with the head; only taken from while the head is in use. `spare`: what comes
  // later.
  Body(Channel& channel, Buffer& input, Buffer& spare, const ServerLimits& limits)
      : channel_(channel), input_(input), spare_(spare), limits_(limits) {}

  // `request` is told its trailers, and outlives the body.
  void begin(Request& request, const Framing& framing);

  std::size_t read(std::span<std::byte> into) override;
  bool ready() const override { return available() > 0; }
  bool finished() const override { return !failed_ && left_ == 0 && (!chunked_ || chunks_.done()); }
  async::Task<Result<void>> wait() override;

  std::uint64_t bytes() const { return bytes_; }  // read so far

  // The client waits to be told to send the body, and nobody has told it.
  bool unasked() const { return continue_pending_ && input_.empty() && spare_.empty(); }
  // A reply has begun: it is too late to ask for the body.
  void stop_asking() { asking_ = false; }
  // True if reading the rest costs less than a new connection would.
  bool worth_skipping() const;
  // Reads and drops the rest. False: the connection cannot be used again.
  async::Task<bool> skip();

 private:
  std::size_t available() const;
  Buffer& raw() { return input_.empty() ? spare_ : input_; }
  const Buffer& raw() const { return input_.empty() ? spare_ : input_; }
  void advance();
  IoState fill();
  void ask();
  void give_up(Code code, const char* why);

  Channel& channel_;
  Buffer& input_;
  Buffer& spare_;
  const ServerLimits& limits_;
  Request* request_ = nullptr;

  bool chunked_ = false, continue_pending_ = false, asking_ = true;
  std::uint64_t left_ = 0;      // not chunked: of the body; chunked: of this chunk
  std::uint64_t received_ = 0;  // chunked: announced by the chunks so far
  std::uint64_t bytes_ = 0;
  ChunkDecoder chunks_;
  std::optional<Error> failed_;
};

}  // namespace carrel::net
