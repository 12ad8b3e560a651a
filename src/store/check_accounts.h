// What the check keeps while it reads: each record for itself, and the uses of blobs' parts.
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "store/check.h"
#include "store/database.h"
#include "store/key.h"
#include "store/parts.h"

namespace carrel::store {

// Owner: one check. Thread: one.
class CheckAccounts {
 public:
  explicit CheckAccounts(CheckReport& report) : report_(report) {}

  void add(std::string_view key, std::string_view value);
  // Reads the parts and compares the accounts. Errors: io.
  Result<void> finish(const std::filesystem::path& parts);
  void problem(std::string text);

 private:
  struct Uses {
    std::int64_t counted = 0, kept = 0;
    std::uint64_t bytes = 0;
  };
  void add_blob(const Key& key, std::string_view manifest);
  void add_part(const Key& key, std::string_view entry);
  void check_name(const Key& key);

  CheckReport& report_;
  std::set<std::string, std::less<>> tenants_;
  std::map<std::pair<std::string, PartHash>, Uses> parts_;  // by tenant
};

}  // namespace carrel::store
