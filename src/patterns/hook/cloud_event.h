// Events in CloudEvents' terms (1.0), as they come and leave over HTTP.
//
// A request is one in binary mode (its attributes are `ce-` headers, its body the data), in
// structured mode (one JSON document), or no CloudEvent: then its body is the data. The data is
// JSON, as the point takes it. Batches are refused. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/hooks.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/http.h"

namespace carrel::hook {

using Headers = std::vector<std::pair<std::string, std::string>>;

inline constexpr std::size_t kMostEvent = 256 << 10;  // bytes of data
inline constexpr std::size_t kMostAttribute = 1024;   // bytes of an attribute
inline constexpr std::size_t kMostExtensions = 32;

// Texts; empty: it has none.
struct CloudEvent {
  std::string id, source, type;
  std::string subject, time, schema;
  std::vector<std::pair<std::string, std::string>> extensions;  // names of a-z and 0-9
  std::string data;                                             // JSON, not checked yet
};

// Nothing in `id`, `source` and `type`: it was no CloudEvent. Errors: invalid_argument that says
// what is wrong.
Result<CloudEvent> read_event(const net::Request& request, std::string body);

struct EventMessage {
  Headers headers;
  std::string body;
};
// What an endpoint is sent. `event` has an id, a source, a type and a time.
EventMessage message_of(const CloudEvent& event, app::EventFormat format);

// RFC 3339, to the millisecond.
std::string rfc3339(WallTime time);

}  // namespace carrel::hook
