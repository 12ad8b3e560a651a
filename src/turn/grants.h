// Grants: what a module may reach beyond its own event. Nothing that is not here exists for it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace carrel::turn {

struct StoreGrant {
  std::string store;
  bool read = false, write = false;
};

// "https://rates.example.com", "GET,POST https://*.example.com:8443".
struct HttpGrant {
  std::vector<std::string> methods;  // none: all but CONNECT and TRACE
  std::string scheme;                // "http" or "https"
  std::string host;                  // lower-case; "*.example.com": names below it, not itself
  std::uint16_t port = 0;
};

struct Grants {
  std::vector<StoreGrant> kv, counters, blobs;
  std::vector<HttpGrant> http;
  std::vector<std::string> secrets;

  // A turn that may write has its reply held back until the commit.
  bool gated() const;
  // There is anything beyond its own event.
  bool any() const;
};

// Whether who has `outer` has all of `inner`.
bool within(const Grants& inner, const Grants& outer);

}  // namespace carrel::turn
