// What each tenant has stored, as the committer counts it. One record a tenant:
//
//   Kind::usage, store "", name "": bytes (8, big-endian) | names (8, big-endian)
//
// A name's charge is its own bytes, its value's, and for a blob the size in its manifest.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/id.h"
#include "base/result.h"
#include "store/changes.h"
#include "store/database.h"
#include "store/key.h"
#include "store/record.h"
#include "store/subtree_quotas.h"

namespace carrel::store {

struct Account {
  std::atomic<std::int64_t> bytes = 0, names = 0;
  Subtree* subtree = nullptr;  // the table's
};

std::uint64_t charge_of(Kind kind, std::string_view name, const RecordView& record);
// `record`: what there was; nothing: the name was not there.
Before before_of(Kind kind, std::string_view name, const std::optional<RecordView>& record);
std::string usage_key(const TenantName& tenant);
std::string encode_usage(std::int64_t bytes, std::int64_t names);
bool decode_usage(std::string_view bytes, Account& into);

// Owner: the Store. Thread-safe; accounts are changed by the committer only.
class UsageTable {
 public:
  // Null: not loaded yet.
  std::shared_ptr<const Account> find(const TenantName& tenant) const;
  // Errors: those of Database::get.
  Result<std::shared_ptr<Account>> load(const TenantName& tenant, Database& database);
  // The store is opened again: all accounts are loaded anew.
  void clear();

  SubtreeQuotas& subtrees() { return subtrees_; }

 private:
  mutable std::mutex mutex_;
  std::uint64_t cleared_ = 0;  // times
  std::unordered_map<TenantName, std::shared_ptr<Account>> accounts_;
  SubtreeQuotas subtrees_;
};

}  // namespace carrel::store
