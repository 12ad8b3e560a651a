// Sends the spans of one shard to the collector that the operator has named.
//
// Twice a second what waits is sent, some at a time, one request after the other. What the
// collector does not take in time is given up and counted: spans never hold up what they tell of.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/shard.h"
#include "net/client.h"
#include "observe/tracer.h"
#include "server/collector.h"

namespace carrel::server {

// Owner: the shard's unit. Thread: its shard. Stops: `flush`, then destruction.
class TraceSender {
 public:
  // `calls.policy` says that the collector may be called.
  TraceSender(async::Shard& shard, Collector collector, net::ClientOptions calls,
              std::string version, const Clock& clock);

  observe::Tracer& tracer() { return tracer_; }
  const observe::Tracer& tracer() const { return tracer_; }

  void start();
  // Sends what waits; not for longer than `bound`.
  async::Task<void> flush(Nanos bound);

 private:
  async::Task<void> loop();
  async::Task<void> send_waiting(Instant end);
  async::Task<void> send_taken(Instant end);
  async::Task<Result<void>> send(std::string body, Nanos longest);

  async::Shard& shard_;
  const Collector collector_;
  const std::string version_;
  observe::Tracer tracer_;
  net::Client client_;
  std::vector<observe::SpanRecord> taken_;  // from the tracer
  std::size_t done_ = 0;                    // of them
  async::Task<void> loop_;                  // last: it uses the rest
};

}  // namespace carrel::server
