// The node's key: 32 random bytes that never leave the machine.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>

#include "base/result.h"

namespace carrel {

using NodeKey = std::array<std::byte, 32>;

// Reads the key, or makes it (0600) if there is none; processes that start together agree on one.
// Errors: io; permission_denied when others own or may read it.
Result<NodeKey> open_node_key(const std::filesystem::path& file);

// Makes a folder that only this user may enter, or checks that it is one. Errors: as above.
Result<void> open_private_folder(const std::filesystem::path& folder);

}  // namespace carrel
