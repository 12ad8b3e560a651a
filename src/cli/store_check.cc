// carrel store check.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/store_actions.h"
#include "cli/terminal.h"
#include "store/check.h"

namespace carrel::cli {
namespace {

void show(const store::CheckReport& report, const std::filesystem::path& folder, Form form) {
  if (form == Form::json) {
    nlohmann::ordered_json json{
        {"folder", folder.string()},     {"problems", report.problems},
        {"keys", report.keys},           {"bytes", report.bytes},
        {"tenants", report.tenants},     {"blobs", report.blobs},
        {"parts", report.parts},         {"unused_parts", report.unused_parts},
        {"first_problems", report.first}};
    print(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
    return;
  }
  for (const std::string& problem : report.first) print(shown_name(Stream::output, problem) + "\n");
  print(fmt::format("{}: {} keys of {} tenants, {} bytes, {} blobs: {}\n", folder.string(),
                    report.keys, report.tenants, report.bytes, report.blobs,
                    report.problems == 0 ? "well" : fmt::format("{} problems", report.problems)));
}

}  // namespace

Result<int> check_store(const StoreArguments& arguments) {
  CARREL_TRY(const auto folder, folder_to_read(arguments));
  CARREL_TRY(const store::CheckReport report, store::check(folder, [](std::uint64_t keys) {
               if (keys > 0) print_error(fmt::format("carrel: {} keys read\n", keys));
             }));
  show(report, folder, arguments.form);
  return report.problems == 0 ? kOk : kFailure;
}

}  // namespace carrel::cli
