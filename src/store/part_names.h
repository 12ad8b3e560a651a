// How parts' files and their folders are named: FOLDER/TT/HH..., TT: the tenant's name, encoded;
// HH: the hash of the bytes, hexadecimal. While one is written it is HH....N.new.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"
#include "store/parts.h"

namespace carrel::store {

std::string hex(const PartHash& hash);
std::optional<PartHash> unhex(std::string_view text);

// No choice of a tenant's name leaves the folder: dots and slashes are encoded.
std::string folder_name(const TenantName& tenant);
std::optional<TenantName> tenant_of(std::string_view folder_name);

// Of a part, whole or being written.
struct PartName {
  PartHash hash{};
  enum class Form : std::uint8_t { whole, being_written } form = Form::whole;
};
std::optional<PartName> part_named(std::string_view file_name);

}  // namespace carrel::store
