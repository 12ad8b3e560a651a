// A response as it arrives: its body is read from the connection no faster than it is taken.
#pragma once

#include <cstdint>
#include <memory>

#include "net/client_message.h"
#include "net/client_pool.h"
#include "net/parser.h"

namespace carrel::net {

// What a call holds on to. The lease goes last: the connection counts until it is closed.
struct CallConnection {
  ClientPool::Lease lease;
  Origin origin;
  std::unique_ptr<ClientSocket> socket = nullptr;
};

class ClientResponse final : public IncomingResponse, private async::ByteSource {
 public:
  // How a call goes on after its head.
  struct Rest {
    Instant until;
    std::uint64_t bytes_left;  // of the body, as far as it may go
    bool keep;                 // the connection, once the body has ended
  };
  ClientResponse(CallConnection connection, ResponseHead head, Rest rest);

  const ReplyHead& head() const override { return head_.head; }
  async::ByteSource& body() override { return *this; }
  Fields trailers() const override;

 private:
  std::size_t read(std::span<std::byte> into) override;
  bool ready() const override { return available() > 0; }
  bool finished() const override { return ended_; }
  async::Task<Result<void>> wait() override;

  std::uint64_t available() const;
  Result<void> advance();
  void end();
  Error give_up(Error error);

  CallConnection connection_;
  ResponseHead head_;
  Rest rest_;
  std::uint64_t length_left_;
  ChunkDecoder chunks_;
  std::size_t taken_ = 0;  // of the socket's input
  std::optional<Error> failed_;
  bool ended_ = false;
};

}  // namespace carrel::net
