// Names of hosts to addresses.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "async/shard.h"
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

// The system's resolver (hosts file, DNS), which blocks: each question has a thread of its own that
// nobody waits for, neither the shard nor the end of the process. Must go before its shard.
class SystemResolver final : public Resolver {
 public:
  static constexpr int kMaxQuestions = 256;  // at once

  explicit SystemResolver(async::Shard& shard);
  ~SystemResolver() override;
  SystemResolver(const SystemResolver&) = delete;
  SystemResolver& operator=(const SystemResolver&) = delete;

  async::Task<Result<std::vector<IpAddress>>> resolve(std::string host) override;

 private:
  struct Link;
  std::shared_ptr<Link> link_;
};

}  // namespace carrel::net
