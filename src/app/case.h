// A test case: a folder whose case.toml has an event and what must come of it. `carrel test` runs
// them.
//
//   [case]    description, module (of the app, or a .wasm or .wat file beside case.toml; an app's
//   only one
//             need not be named), argv, env, config, entrypoint, limits
//   [event]   method, path, headers; or type, source, subject, id, attributes; body or body_file;
//             time, at which the guest's clock starts
//   [expect]  status, headers, body, body_file, body_contains, body_json; exit, stdout,
//   stdout_contains;
//             stderr_contains
//   [state]   may be left out: what is stored before the turn
//   [effects] may be left out: what is stored after it (case_state.h)
//   [[http]]  the calls to the outside that it makes, and their answers (case_calls.h)
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/case_calls.h"
#include "app/case_state.h"
#include "app/manifest.h"

namespace carrel::app {

struct CaseEvent {
  enum class Kind : std::uint8_t { http, other };
  Kind kind = Kind::http;
  std::string method = "GET";  // http
  std::string path;            // with the query
  Pairs headers;
  std::string type, source, subject, id;  // other
  Pairs attributes;
  std::optional<std::string> body;  // of body or body_file
  std::optional<WallTime> time;     // the guest's clock starts there; else at the machine's
};

// What is not set is not checked.
struct CaseExpectation {
  std::optional<int> status;
  Pairs headers;                    // names as written; compared without case
  std::optional<std::string> body;  // of body or body_file: all of it
  std::vector<std::string> body_contains;
  std::optional<std::string> body_json;  // equal as JSON values
  std::optional<int> exit;               // the guest's exit code
  std::optional<std::string> stdout_text;
  std::vector<std::string> stdout_contains;
  std::vector<std::string> stderr_contains;
};

// Value type.
struct Case {
  std::string name;  // the folder's
  std::filesystem::path folder;
  std::string description;
  // Of the app with the case's own changes; one made of a file has the defaults.
  Module module;
  CaseEvent event;
  CaseExpectation expect;
  CaseState state;
  CaseEffects effects;
  std::vector<CaseCall> calls;
};

// What a folder is called, however it was written: "." and "shop/" have a name too.
std::string folder_name(const std::filesystem::path& folder);

// "2026-01-02T03:04:05Z". Nothing for what is no such time from 1970 to 9999.
std::optional<WallTime> parse_time(std::string_view text);
std::string time_text(WallTime time);

// `app`: whose modules the case may name; null if there is none. Errors: not_found, io,
// invalid_config.
Result<Case> load_case(const std::filesystem::path& folder, const Manifest* app);
Result<Case> parse_case(std::string_view text, const std::filesystem::path& file,
                        const Manifest* app);

}  // namespace carrel::app
