// The API's description (openapi.yaml), as it was when this program was built.
#pragma once

#include <string_view>

namespace carrel::api {

std::string_view openapi_yaml();

}  // namespace carrel::api
