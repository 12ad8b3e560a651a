// Whether a server that was named may be told the token: nobody on the way reads it.
#pragma once

#include <string_view>

#include "base/result.h"

namespace carrel::cli {

// By https, or by http to this machine: localhost and what is below it, 127.0.0.0/8, ::1.
// Errors: invalid_argument with what to do instead.
Result<void> check_server_url(std::string_view url);

}  // namespace carrel::cli
