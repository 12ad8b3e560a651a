// The node's key: 32 random bytes that never leave the machine.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string_view>

#include "base/result.h"

namespace carrel {

using NodeKey = std::array<std::byte, 32>;

// Reads the key, or makes it (0600) if there is none; processes that start together agree on one.
// Errors: io; permission_denied when others own or may read it.
Result<NodeKey> open_node_key(const std::filesystem::path& file);

// 64 hexadecimal digits. Errors: invalid_config.
Result<NodeKey> parse_node_key(std::string_view digits);

// Takes the variable CARREL_NODE_KEY out of the environment, so that no child process sees it, and
// remembers it. Comes before the process has threads that read its environment.
void take_node_key();

// The key in CARREL_NODE_KEY (64 hex digits) if it was given, else `open_node_key`.
// Errors: invalid_config when it is anything else; those of open_node_key.
Result<NodeKey> node_key_from(const std::filesystem::path& file);

// Makes a folder that only this user may enter, or checks that it is one. Errors: as above.
Result<void> open_private_folder(const std::filesystem::path& folder);

}  // namespace carrel
