// The check: reads a whole store and says what is wrong with it. Changes nothing.
//
// It compares every checksum, decodes every key and record, reads every part of a blob, recounts
// what each tenant has stored and how often each part is used, and looks up whether what expires
// and what is unused is in its list, each way.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"

namespace carrel::store {

struct CheckReport {
  std::uint64_t keys = 0, bytes = 0;  // records read, with their names
  std::uint64_t tenants = 0, blobs = 0;
  std::uint64_t parts = 0;         // of blobs, read and hashed
  std::uint64_t unused_parts = 0;  // files that nothing refers to; the sweeper's to remove
  std::uint64_t problems = 0;      // found in all
  std::vector<std::string> first;  // the first of them, a sentence each, at most 100
};

// Told now and then, with the records read so far.
using CheckProgress = std::function<void(std::uint64_t keys)>;

// Blocks. `folder`: a stopped store, or a backup. Errors: those of Database::open (store_locked
// while a server has it open), not_found; what is damaged is in the report.
Result<CheckReport> check(const std::filesystem::path& folder, const CheckProgress& progress);

}  // namespace carrel::store
