// Writes a turn as a test case: its event, and what came of it as what is expected.
#pragma once

#include <filesystem>
#include <string>

#include "app/case.h"
#include "cli/turn_bench.h"

namespace carrel::cli {

// `module`: the app's name for it, or a module's file, which is copied beside the case.
// Errors: already_exists for a folder that is not empty; io.
Result<void> record_case(const std::filesystem::path& folder, const std::string& module_name,
                         const std::filesystem::path* module_file, const app::CaseEvent& event,
                         const TurnResult& result);

}  // namespace carrel::cli
