// What the check keeps while it reads: each tenant's account, and the uses of blobs' parts. Whether
// what expires or is unused is in its list it asks the store, each way.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
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
  CheckAccounts(std::shared_ptr<const DatabaseView> view, CheckReport& report)
      : view_(std::move(view)), report_(report) {}

  void add(std::string_view key, std::string_view value);
  // Reads the parts and compares the accounts. Errors: io.
  Result<void> finish(const std::filesystem::path& parts);
  void problem(std::string text);

 private:
  struct Uses {
    std::int64_t counted = 0, kept = 0;
    std::uint64_t bytes = 0;
  };
  struct Stored {
    std::int64_t bytes = 0, names = 0;  // counted
    std::optional<std::string> kept;    // as the store has it, encoded
  };
  void add_record(const Key& key, std::string_view value);
  void add_expiry(const Key& entry);
  void add_garbage(const Key& entry);
  void add_uses(const Key& key, std::string_view manifest);
  void add_part(const Key& key, std::string_view entry);
  void check_name(const Key& key);
  void check_stored();
  Result<void> check_parts(const std::filesystem::path& folder);
  // Nothing where there is nothing, or what is damaged, which is said when it is met.
  std::optional<std::string> look(const std::string& key) const;

  std::shared_ptr<const DatabaseView> view_;

  CheckReport& report_;
  std::map<std::string, Stored, std::less<>> tenants_;
  std::map<std::pair<std::string, PartHash>, Uses> parts_;  // by tenant
};

}  // namespace carrel::store
