// The list of when names expire, by time: an empty entry for each record that has an expiry.
//
//   Kind::expiry, store "", name: time (8 bytes) | kind (1) | size of store (1) | store | name
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "store/key.h"

namespace carrel::store {

std::string expiry_key(const Key& record, std::uint64_t expires);
// The record that an entry is about. Nothing: it is damaged.
std::optional<Key> expiring_record(const Key& entry);

}  // namespace carrel::store
