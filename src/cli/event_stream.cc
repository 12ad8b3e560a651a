#include "cli/event_stream.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "observe/json_line.h"

namespace carrel::cli {
namespace {

constexpr std::size_t kLongestLine = 64 << 10;

}  // namespace

Result<void> check_end(const StreamEvent& event) {
  if (event.name != "end") return {};
  const auto json = nlohmann::json::parse(event.data, nullptr, false);
  const bool says = json.is_object() && json.contains("reason") && json["reason"].is_string();
  const std::string reason = says ? json["reason"].get<std::string>() : "";
  return fail(Code::unauthenticated, "the server ended it: " + observe::printable(reason));
}

std::vector<StreamEvent> EventStream::take(std::string_view piece) {
  std::vector<StreamEvent> events;
  while (!piece.empty()) {
    const auto end = piece.find('\n');
    const auto part = piece.substr(0, end);
    too_long_ |= line_.size() + part.size() > kLongestLine;
    if (!too_long_) line_ += part;
    if (end == std::string_view::npos) break;
    end_line(events);
    piece.remove_prefix(end + 1);
  }
  return events;
}

void EventStream::end_line(std::vector<StreamEvent>& events) {
  const std::string line = std::exchange(line_, {});
  if (std::exchange(too_long_, false)) return;
  std::string_view text = line;
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) {
    if (event_.name.empty() && event_.data.empty()) return;
    begun_ = true;
    events.push_back(std::exchange(event_, {}));
    return;
  }
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return;
  const auto field = text.substr(0, colon);
  auto value = text.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") event_.name = value;
  if (field == "data") event_.data = value;
}

}  // namespace carrel::cli
