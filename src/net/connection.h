// One client's connection: its requests one after another, each handed to the handler.
//
// Owner: the server, which deletes it some time after `Host::retire`, never from within one of its
// own calls. Thread: its shard. Stops: `drain` ends it between two requests; destruction cancels
// everything.
#pragma once

#include <coroutine>
#include <memory>
#include <string>

#include "async/shard.h"
#include "async/task.h"
#include "net/body.h"
#include "net/buffer.h"
#include "net/channel.h"
#include "net/http.h"
#include "net/reply.h"
#include "net/server.h"

namespace carrel::net {

class Connection;

// What all connections of a server share.
struct Host {
  virtual void retire(Connection& connection) = 0;

  async::Shard& shard;
  Handler& handler;
  AccessLog* access_log;
  ServerLimits limits;
  Tick tick;
  std::uint64_t next_id;
  bool draining = false;

 protected:
  Host(async::Shard& s, Handler& h, AccessLog* log, const ServerLimits& l, std::uint64_t first_id)
      : shard(s), handler(h), access_log(log), limits(l), next_id(first_id) {}
  ~Host() = default;
};

struct Peer {
  std::string address;
  std::uint16_t port = 0, local_port = 0;
  std::string_view scheme;
};

class Connection final : Channel::Owner {
 public:
  Connection(Host& host, std::unique_ptr<Transport> transport, Peer peer);

  Channel& channel() { return channel_; }
  void start() { life_.start(); }
  void drain();

  std::size_t index = 0;  // among the server's connections

 private:
  enum class Next : unsigned char { request, wait, refuse, end };
  struct Handling;

  async::Task<void> live();
  async::Task<bool> shake_hands();
  Next next_request();
  Next understand(std::size_t head_size);
  Next refuse(Error error);
  async::Task<void> answer_refusal();
  async::Task<void> answer_problem(Error error);
  async::Task<bool> serve();
  async::Task<bool> handle();
  void ready_for_next();
  async::Task<void> linger();
  Instant start_time() const;
  void log(Instant began, std::uint64_t sent_before) const;
  bool peer_has_gone() const;
  void peer_closed() override;

  Host& host_;
  Channel channel_;
  Buffer input_, spare_;
  Body body_;
  Reply reply_;
  Request request_;
  Framing framing_;

  std::size_t head_size_ = 0;
  std::size_t searched_ = 0;  // of `input_`, for the end of the head
  Instant patience_;          // how long to wait for the head
  bool head_begun_ = false;
  unsigned empty_lines_ = 0;  // before this request
  unsigned in_a_row_ = 0;     // requests served without a pause
  std::uint64_t id_ = 0;
  std::unique_ptr<Error> refused_;
  std::coroutine_handle<> handling_ = nullptr;  // who waits for the handler
  async::Task<void> life_;                      // last: its frames refer to the rest
};

}  // namespace carrel::net
