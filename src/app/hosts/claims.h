// Claims: which host names tenants say are theirs, and whose they have been proven to be.
//
//   Kind::tenant, store "claim",  name TENANT:HOST -> JSON {app, created}
//   Kind::tenant, store "proven", name HOST        -> JSON {tenant, app, since}
//
// Any number of tenants may claim a name; whoever proves it first has it, until they give it up. An
// unproven claim is forgotten after thirty days. Names are normal (name.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/deployment/records.h"
#include "async/task.h"
#include "base/clock.h"
#include "store/database.h"
#include "store/transaction.h"

namespace carrel::hosts {

inline constexpr std::size_t kMostClaims = 500;  // of a tenant

// Value type. What a tenant sees of its claim.
struct Claim {
  std::string host;
  AppName app;
  WallTime created;
  std::optional<WallTime> proven;  // since when it is the tenant's; nothing: it is not
};

// The transaction outlives the tasks. Errors of all: those of Transaction::read; data_corrupt.
using MaybeClaim = Result<std::optional<Claim>>;
async::Task<MaybeClaim> find_claim(store::Transaction* transaction, TenantName tenant,
                                   std::string host);

// A tenant's claims in order of names, after `after`.
struct ClaimPage {
  std::vector<Claim> claims;
  bool end = false;
};
async::Task<Result<ClaimPage>> list_claims(store::Transaction* transaction, TenantName tenant,
                                           std::string after, std::size_t max);

// Claims the name for an app; a claim that is there changes its app. Errors: quota_exceeded when
// the tenant has too many.
async::Task<Result<Claim>> claim(store::Transaction* transaction, deployment::Scope scope,
                                 std::string host, WallTime now);
// The tenant has proven the name. Errors: not_found (there is no such claim any more); in_use: it
// is another's.
async::Task<Result<Claim>> note_proof(store::Transaction* transaction, TenantName tenant,
                                      std::string host, WallTime now);
// Gives the name up. Errors: not_found.
async::Task<Result<Claim>> give_up(store::Transaction* transaction, TenantName tenant,
                                   std::string host);
// Gives up all names of an app: those that were proven.
async::Task<Result<std::vector<std::string>>> give_up_all(store::Transaction* transaction,
                                                          deployment::Scope scope);

// The app whose the name is.
async::Task<Result<std::optional<deployment::Scope>>> who_has(store::Transaction* transaction,
                                                              std::string host);

// All proven names, for the start of a server and for operators. Blocks.
struct Proven {
  std::string host;
  deployment::Scope scope;
  WallTime since;
};
struct AllProven {
  std::vector<Proven> hosts;  // in order of names
  std::size_t damaged = 0;    // records that could not be read
};
Result<AllProven> read_proven(const std::shared_ptr<const store::DatabaseView>& view);

}  // namespace carrel::hosts
