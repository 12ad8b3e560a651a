// Making a version: its parts are found, its files unpacked, compiled and checked; then it is kept.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "api/call.h"
#include "app/deployment/records.h"

namespace carrel::api {

struct NewVersion {
  deployment::Scope scope;
  deployment::Version version;  // but for its number
};

// Answers with the version; with what is missing (parts_missing), for another try once that has
// been uploaded. Errors: everything that is wrong with it at once; those of the commit.
async::Task<Result<Answer>> make_version(Call* call, NewVersion asked);

nlohmann::json describe(const deployment::Version& version, const deployment::AppRecord& app);

}  // namespace carrel::api
