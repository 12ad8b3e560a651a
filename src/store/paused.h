// The mark in a store's folder that says: this is a copy; what was about to happen may have
// happened.
//
// A backup has it. A server on such a folder delivers nothing until an operator says so, since the
// store it was copied from may have done it, or be doing it still.
#pragma once

#include <filesystem>

#include "base/result.h"

namespace carrel::store {

bool is_paused(const std::filesystem::path& folder);
// Each is on the disk when it returns. Errors: io.
Result<void> mark_paused(const std::filesystem::path& folder);
Result<void> end_pause(const std::filesystem::path& folder);

}  // namespace carrel::store
