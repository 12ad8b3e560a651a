#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tenant/jwt.h"

// Whatever is sent as a token or a key set is read or refused; nothing is believed without a key.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace tenant = carrel::tenant;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const auto kKeys = tenant::KeySet::parse(
      R"({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})");
  if (!kKeys) __builtin_trap();
  (void)tenant::KeySet::parse(text);
  const auto jwt = tenant::parse_jwt(text);
  if (!jwt) return 0;
  if ((*kKeys)->verify(*jwt)) __builtin_trap();
  (void)tenant::check_claims(*jwt,
                             {.issuer = "a", .audiences = {"b"}, .algorithms = {jwt->algorithm}},
                             carrel::WallTime());
  return 0;
}
