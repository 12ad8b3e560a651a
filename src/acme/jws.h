// What an account says, signed (RFC 8555, section 6.2): flattened JSON Web Signatures.
#pragma once

#include <string>
#include <string_view>

#include "acme/key.h"

namespace carrel::acme {

struct Said {
  std::string_view url;      // to whom
  std::string_view nonce;    // theirs, for this once
  std::string_view account;  // its URL; empty: the key itself says who speaks
  std::string_view payload;  // JSON; empty: it only asks
};
std::string signed_text(const Key& key, const Said& said);

// RFC 7638 of the account's key, with SHA-256.
std::string thumbprint(const Key& key);
// What a challenge is answered with (RFC 8555, section 8.1).
std::string key_authorization(const Key& key, std::string_view token);

}  // namespace carrel::acme
