// Entity tags: what a resource was when it was read, for who changes it (RFC 9110, section 13).
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace carrel::api {

// Of a representation: "\"9f86d081884c7d65\"".
std::string etag_of(std::string_view representation);

// Whether a change asked for with If-Match may be made of what now has `etag`. Without If-Match it
// may. Errors: precondition_failed.
Result<void> check_if_match(const net::Request& request, std::string_view etag);

}  // namespace carrel::api
