// Whether a module's grants let it make a call.
#pragma once

#include <string_view>
#include <vector>

#include "net/url.h"
#include "turn/grants.h"

namespace carrel::capability::http {

// Scheme, host and port must be those of one grant, and the method one of its own. "*.example.com"
// stands for every name below it, and never for an address. Pure; any thread.
bool permits(const std::vector<turn::HttpGrant>& grants, std::string_view method,
             const net::Url& url);

}  // namespace carrel::capability::http
