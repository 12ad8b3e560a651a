// Signatures of images, in cosign's layout, so that other tools make and check them too.
//
// What is signed is a payload ("simple signing") that names the image's digest. Payloads and
// signatures are the layers and annotations of another image beside it, tagged sha256-HEX.sig. What
// else a payload or that image says is not believed, certificates and transparency logs included:
// only keys count.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/oci/document.h"
#include "app/oci/keys.h"
#include "app/oci/session.h"

namespace carrel::oci {

inline constexpr std::string_view kSimpleSigning =
    "application/vnd.dev.cosign.simplesigning.v1+json";
inline constexpr std::string_view kSignatureAnnotation = "dev.cosignproject.cosign/signature";

// "sha256:ab12" -> "sha256-ab12.sig"
std::string signature_tag(std::string_view digest);

std::string write_payload(const Reference& reference, std::string_view digest);
// Whether a payload is about this image. Pure.
bool is_payload_of(std::string_view payload, std::string_view digest);

struct Verified {
  std::string image;                 // the digest that is signed
  std::vector<std::string> key_ids;  // of the keys that were asked for and have signed it
};

// Adds a signature for what the reference names now, beside those there are. Gives its digest.
// Errors: those of the registry.
async::Task<Result<Verified>> sign_image(Session* session, SigningKey key);

// Errors: not_signed, saying what there is; those of the registry.
async::Task<Result<Verified>> verify_image(Session* session, std::vector<PublicKey> keys);

}  // namespace carrel::oci
