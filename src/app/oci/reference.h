// Where a module lies in a registry: oci://HOST[:PORT]/NAME[:TAG][@sha256:DIGEST].
//
// Written out in full: no registry is assumed, and no tag. With a digest it means the same bytes
// for ever; with a tag alone, what the registry says today.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace carrel::oci {

inline constexpr std::string_view kScheme = "oci://";

// "sha256:" and 64 lower-case hexadecimal digits: the only digest this build believes.
bool is_digest(std::string_view text);
std::string digest_of(std::string_view bytes);

// Value type.
struct Reference {
  std::string registry;    // "ghcr.io", "localhost:5000", "[::1]:5000"
  std::string repository;  // "team/price"
  std::string tag;         // may be empty if there is a digest
  std::string digest;      // may be empty if there is a tag

  std::string text() const;
  // What the registry is asked for: the digest if there is one.
  const std::string& version() const { return digest.empty() ? tag : digest; }
  Reference with_digest(std::string other) const;
  bool operator==(const Reference&) const = default;
};

// The scheme may be left out. Pure; any thread. Errors: invalid_argument, saying what is wrong.
Result<Reference> parse_reference(std::string_view text);

}  // namespace carrel::oci
