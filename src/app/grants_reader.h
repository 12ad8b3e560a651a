// A module's `grants` as a manifest has them: what it may reach beyond its own event.
//
//   kv, counters, blobs   "NAME:r", "NAME:w", "NAME:rw"
//   http                  "https://rates.example.com", "GET,POST https://*.example.com:8443"
//   secrets               names as of environment variables
//
// Strict, for what stands here is what a guest can do: nothing is guessed, and what is there twice
// is an error. Pure; any thread.
#pragma once

#include <cstddef>

#include "app/table_reader.h"
#include "turn/grants.h"

namespace carrel::app {

inline constexpr std::size_t kMostGrants = 256;  // of one kind

// `module` has `grants`, or grants nothing. Problems are added to the reader's.
turn::Grants read_grants(TableReader& module);

}  // namespace carrel::app
