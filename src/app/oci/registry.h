// What a registry is asked for: documents and blobs, each checked against its digest while it
// comes.
//
// OCI distribution specification 1.1, as registries of Docker's first protocol speak it too.
#pragma once

#include <string>

#include "app/oci/document.h"
#include "app/oci/session.h"
#include "app/oci/sink.h"

namespace carrel::oci {

struct Fetched {
  std::string bytes, media_type, digest;
};

// A manifest or index by tag or digest. Errors: not_found, digest_mismatch, registry_failed,
// unauthenticated, permission_denied, those of a call.
async::Task<Result<Fetched>> fetch_document(Session* session, std::string version);

// Into the sink, which holds what came if it fails. Errors: as above.
async::Task<Result<void>> fetch_blob(Session* session, Descriptor blob, Sink* into);
// Errors: as above; registry_failed for one of more than `most` bytes.
async::Task<Result<std::string>> fetch_small_blob(Session* session, Descriptor blob,
                                                  std::size_t most);

// Nothing is sent that is there already. Errors: as above.
async::Task<Result<void>> put_blob(Session* session, std::string bytes);
// Under `version`, a tag or its digest. Gives its digest. Errors: as above.
async::Task<Result<std::string>> put_document(Session* session, std::string bytes,
                                              std::string media_type, std::string version);

}  // namespace carrel::oci
