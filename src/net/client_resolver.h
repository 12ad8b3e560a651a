// Names of hosts to addresses.
#pragma once

#include <string>
#include <vector>

#include "async/shard.h"
#include "net/aside.h"
#include "net/egress_policy.h"

namespace carrel::net {

// Owner: whoever makes the client. Thread: one shard. Stops: destroying a waiting task forgets the
// question.
class Resolver {
 public:
  virtual ~Resolver() = default;
  // At least one address. Errors: egress_name, egress_failed, unavailable.
  virtual async::Task<Result<std::vector<IpAddress>>> resolve(std::string host) = 0;
};

// The system's resolver (hosts file, DNS), asked aside. Must go before its shard.
class SystemResolver final : public Resolver {
 public:
  explicit SystemResolver(async::Shard& shard) : aside_(shard) {}

  async::Task<Result<std::vector<IpAddress>>> resolve(std::string host) override;

 private:
  Aside<std::vector<IpAddress>> aside_;
};

}  // namespace carrel::net
