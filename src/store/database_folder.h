// The store's folder: the file FORMAT says whose it is, and which version of Carrel may touch it.
//
//   FOLDER/FORMAT   "carrel store 1\n", and a line with a secret number in hexadecimal digits
//   FOLDER/db       the database
//   FOLDER/parts    pieces of blobs
#pragma once

#include <filesystem>

#include "base/result.h"

namespace carrel::store {

std::filesystem::path format_file(const std::filesystem::path& folder);
std::filesystem::path database_folder(const std::filesystem::path& folder);
std::filesystem::path parts_folder(const std::filesystem::path& folder);

// Changes nothing. Errors: store_format for a folder of a newer Carrel or of something else;
// not_found when there is no store; data_corrupt when FORMAT is there and the database is lost; io.
Result<void> check_folder(const std::filesystem::path& folder);

// Makes a new, empty store's folder where there is none or an empty one; otherwise as check_folder.
// From then on it is for its owner only.
Result<void> prepare_folder(const std::filesystem::path& folder);

// The number in FORMAT, which no guest gets to know; 0 if it has none.
Result<std::uint64_t> store_secret(const std::filesystem::path& folder);

// Writes FORMAT with a new secret, synced.
Result<void> write_format(const std::filesystem::path& folder);

}  // namespace carrel::store
