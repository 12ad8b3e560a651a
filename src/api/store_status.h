// The store's figures as /v1/status shows them; openapi.yaml says what each is.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "store/store.h"

namespace carrel::api {

nlohmann::json describe(const store::StoreStatus& status);

}  // namespace carrel::api
