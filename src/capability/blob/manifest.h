// A manifest's bytes, read and changed in place: a turn writes them more often than whole parts.
//
// Precondition of all but `size_of`: `bytes` decode (store::decode_manifest).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/parts.h"

namespace carrel::capability::blob {

inline constexpr std::uint64_t kMaxBlob = 1ULL << 30;  // bytes

std::uint64_t parts_of(std::uint64_t size);  // how many a blob of this size has
// 0 if there is not even a size.
std::uint64_t size_of(std::string_view bytes);
// Parts that are new have a hash of zeros until they are set.
void set_size(std::string& bytes, std::uint64_t size);
// Precondition: there is such a part.
store::PartHash part_at(std::string_view bytes, std::uint64_t index);
void set_part(std::string& bytes, std::uint64_t index, const store::PartHash& hash);

}  // namespace carrel::capability::blob
