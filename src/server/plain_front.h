// The plain listener beside one with TLS: answers the challenges that are open, and sends everybody
// else to https.
#pragma once

#include <cstdint>

#include "acme/challenges.h"
#include "net/http.h"

namespace carrel::server {

// Owner: the composition root; outlives the shards, all of which it serves.
class PlainFront final : public net::Handler {
 public:
  // `port`: of the listener with TLS.
  PlainFront(const acme::Challenges& challenges, std::uint16_t port)
      : challenges_(challenges), port_(port) {}

  async::Task<void> handle(net::Exchange& exchange) override;

 private:
  const acme::Challenges& challenges_;
  const std::uint16_t port_;
};

}  // namespace carrel::server
