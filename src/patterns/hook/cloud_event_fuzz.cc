// Whatever somebody emits is read or refused; what was read is written as it was.
#include <cstdlib>
#include <string>
#include <string_view>

#include "document/json_text.h"
#include "patterns/hook/cloud_event.h"

using namespace carrel;

// Lines up to an empty one are headers, the rest is the body.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  net::Request request;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) break;
    request.headers.push_back({line.substr(0, colon), line.substr(colon + 1)});
  }
  auto event = hook::read_event(request, std::string(text));
  if (!event || event->id.empty()) return 0;
  if (event->time.empty()) event->time = "2026-01-01T00:00:00Z";
  if (!document::check_json(event->data, {})) return 0;
  const auto message = hook::message_of(*event, app::EventFormat::binary);
  net::Request again;
  for (const auto& [name, value] : message.headers) again.headers.push_back({name, value});
  const auto read = hook::read_event(again, message.body);
  if (!read || read->id != event->id || read->source != event->source ||
      read->subject != event->subject || read->extensions != event->extensions) {
    std::abort();
  }
  return 0;
}
