// A change of what an app serves: one commit of its record, then one switch of all shards.
//
// The versions that will be served are made ready before anything is committed, so a version that
// cannot be served never becomes live; and the switch follows the commit, so what is answered by is
// always what a restart would bring back.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/call.h"
#include "api/work.h"
#include "app/deployment/stage.h"

namespace carrel::api {

// The app that the path names. Errors: invalid_argument for what is no name of one.
Result<deployment::Scope> scope_of(const Call& call);
// The version that the path names. Errors: not_found.
Result<std::uint64_t> version_of(const Call& call);

struct AppChange {
  // What is done to the record; may be asked several times.
  using Edit = std::function<Result<void>(deployment::AppRecord& app)>;

  deployment::Scope scope;
  Edit edit;
  bool removed = false;  // it is for an app that has been removed
};

// Makes the change, heeding If-Match; answers with the app. Errors: those of the edit, of making
// versions ready, of the commit; not_found, precondition_failed.
async::Task<Result<Answer>> change_app(Call* call, AppChange change);

nlohmann::json describe(const deployment::Scope& scope, const deployment::AppRecord& app,
                        const deployment::Stage& stage);
Answer answer_of(const deployment::Scope& scope, const deployment::AppRecord& app,
                 const deployment::Stage& stage);

}  // namespace carrel::api
