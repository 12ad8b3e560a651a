// A module's `grants` as a manifest has them: what it may reach beyond its own event.
//
//   kv, counters, blobs   "NAME:r", "NAME:w", "NAME:rw"
//   http                  "https://rates.example.com", "GET,POST https://*.example.com:8443"
//   secrets               names as of environment variables
//
// Strict, for what stands here is what a guest can do: nothing is guessed, and what is there twice
// is an error. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include "app/table_reader.h"
#include "turn/grants.h"

namespace carrel::app {

inline constexpr std::size_t kMostGrants = 256;  // of one kind

// Grants whose capability this build does not have: they are read only when taken out of here.
inline constexpr std::array<std::string_view, 0> kNotServed{};

// `module` has `grants`, or grants nothing. Problems are added to the reader's.
turn::Grants read_grants(TableReader& module,
                         std::span<const std::string_view> not_served = kNotServed);

}  // namespace carrel::app
