#include "cli/run_options.h"

#include <fmt/format.h>

#include <cstdlib>

#include "app/problems.h"

namespace carrel::cli {
namespace {

std::unexpected<Error> bad_folder(std::string_view text, std::string_view why) {
  return fail(Code::invalid_argument, fmt::format("--dir {}: {}", app::in_quotes(text), why),
              "write --dir HOST::GUEST, --dir HOST::GUEST:ro, or --dir HOST");
}

// The guest's name for the folder as an absolute path without ".", ".." and doubled slashes; empty
// if that would be above the root.
std::string place_of(std::string_view name) {
  std::string place;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = std::min(name.find('/', at), name.size());
    const std::string_view part = name.substr(at, end - at);
    at = end + 1;
    if (part == "..") return {};
    if (part.empty() || part == ".") continue;
    place += '/';
    place += part;
  }
  return place.empty() ? "/" : place;
}

}  // namespace

Result<FolderGrant> parse_folder_grant(std::string_view text) {
  FolderGrant grant;
  std::string_view rest = text;
  if (rest.ends_with(":ro")) {
    grant.access = FolderAccess::read_only;
    rest.remove_suffix(3);
  }
  const auto split = rest.find("::");
  const std::string_view host = rest.substr(0, split);
  const std::string_view guest = split == std::string_view::npos ? host : rest.substr(split + 2);
  if (host.empty()) return bad_folder(text, "the host's folder is missing");
  if (guest.empty()) return bad_folder(text, "the guest's name for it is missing");
  if (guest.find('\0') != std::string_view::npos) return bad_folder(text, "a name cannot hold NUL");
  if (guest.find(':') != std::string_view::npos) return bad_folder(text, "there is a ':' too many");
  grant.host = host;
  grant.name = guest;
  grant.place = place_of(guest);
  if (grant.place.empty()) return bad_folder(text, "the guest's name for it cannot hold \"..\"");
  return grant;
}

Result<std::optional<std::string>> parse_variable(const std::string& text) {
  const auto equals = text.find('=');
  if (text.empty() || equals == 0) {
    return fail(Code::invalid_argument,
                fmt::format("--env {}: the name is missing", app::in_quotes(text)),
                "write --env NAME=VALUE, or --env NAME to pass on the value it has here");
  }
  if (equals != std::string::npos) return text;
  const char* value = std::getenv(text.c_str());
  if (value == nullptr) return std::nullopt;
  return text + "=" + value;
}

}  // namespace carrel::cli
