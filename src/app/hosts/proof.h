// Proofs: how a tenant shows that a host name is its own, before anything is served under it.
//
// By DNS, a text record of `_carrel-challenge.NAME` that is the token; or by HTTP, from whoever
// serves the name today: http://NAME/.well-known/carrel-challenge/TOKEN answers 200 with the
// answer, and nothing else. Both are derived from the node's key, the tenant and the name: nobody
// else knows them, they are good again later, and a server that echoes what it is asked for proves
// nothing.
#pragma once

#include <string>
#include <string_view>

#include "async/task.h"
#include "base/id.h"
#include "base/node_key.h"
#include "base/result.h"
#include "net/caller.h"
#include "net/dns.h"

namespace carrel::hosts {

struct Challenge {
  std::string token;
  std::string answer;
  std::string dns_name;  // "_carrel-challenge.NAME"
  std::string url;
};

// Immutable. Thread-safe.
class Challenges {
 public:
  explicit Challenges(const NodeKey& node_key);
  ~Challenges();
  Challenges(const Challenges&) = delete;
  Challenges& operator=(const Challenges&) = delete;

  Challenge of(const TenantName& tenant, std::string_view host) const;

 private:
  std::string derive(std::string_view purpose, const TenantName& tenant,
                     std::string_view host) const;
  NodeKey key_;  // derived, for this purpose alone
};

// Looks for a proof: by DNS, then by HTTP through the node's client, which refuses addresses that
// the egress policy refuses, and follows no redirect. Errors: permission_denied saying what was
// found instead of each. What is passed outlives the task, which takes twenty seconds at most.
async::Task<Result<void>> look_for_proof(net::Dns* dns, net::Caller* client, TenantName tenant,
                                         Challenge challenge);

}  // namespace carrel::hosts
