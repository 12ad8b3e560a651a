// An operation of the API: one method of one path, as openapi.yaml describes it under the same id.
//
// Each family of operations is a table in a file of its own; operations.cc lists the families.
// Who may do what is not said here: access.cc has a row for each id, and an operation without one
// is refused.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/answer.h"
#include "async/task.h"
#include "base/result.h"

namespace carrel::api {

struct Call;

struct Operation {
  std::string_view id;      // openapi.yaml's operationId
  std::string_view method;  // a GET is a HEAD as well
  // As in openapi.yaml: "/v1/tenants/{tenant}/kv/{store}/{key...}". A part may end in a literal
  // (":restore"); "..." takes the rest of the path, slashes and all.
  std::string_view path;
  // Errors become problem details. Once the reply has started, what it returns is not sent.
  async::Task<Result<Answer>> (*answer)(Call* call);
};

// The families. A new one: its table, a line here, and one in operations.cc.
std::span<const Operation> node_operations();
std::span<const Operation> log_operations();
std::span<const Operation> state_operations();
std::span<const Operation> blob_operations();
std::span<const Operation> tenant_operations();
std::span<const Operation> token_operations();
std::span<const Operation> audit_operations();
std::span<const Operation> usage_operations();
std::span<const Operation> app_operations();
std::span<const Operation> version_operations();
std::span<const Operation> host_operations();
std::span<const Operation> binding_operations();
std::span<const Operation> recording_operations();

// Every operation there is.
std::span<const Operation> all_operations();

struct Parameter {
  std::string_view name;
  std::string_view text;  // as sent
};

struct Match {
  const Operation* operation = nullptr;
  std::vector<Parameter> parameters;
  std::string allow;  // the methods of the path, for one that is none of them; empty: no such path
};

Match find_operation(std::span<const Operation> operations, std::string_view method,
                     std::string_view path);

}  // namespace carrel::api
