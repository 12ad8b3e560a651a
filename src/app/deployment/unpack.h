// Unpacking: from a tenant's parts to a folder with an app's files, for the loader to read.
//
// The folder is made beside its place and renamed, so what is there is whole. It is only a copy of
// what the store keeps: one that is missing is made again.
#pragma once

#include <filesystem>
#include <vector>

#include "app/deployment/bundle.h"
#include "base/id.h"
#include "store/part_list.h"
#include "store/parts.h"

namespace carrel::deployment {

// Each part of the bundle once.
std::vector<store::PartUse> parts_of(const Bundle& bundle);

// Those that the tenant lacks. Blocks.
std::vector<store::PartHash> missing_parts(const store::Parts& parts, const TenantName& tenant,
                                           const Bundle& bundle);

// Makes `folder` unless it is there already. Blocks. The parts are pinned or in use. Errors:
// invalid_argument for parts that make up a file of another digest or size; data_corrupt for parts
// that are not what they are called; not_found; io; store_full.
Result<void> unpack(const store::Parts& parts, const TenantName& tenant, const Bundle& bundle,
                    const std::filesystem::path& folder);

}  // namespace carrel::deployment
