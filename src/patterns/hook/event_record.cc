#include "patterns/hook/event_record.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <nlohmann/json.hpp>

#include "base/hex.h"
#include "store/record.h"

namespace carrel::hook {
namespace {

using Json = nlohmann::json;

bool read_text(const Json& json, const char* key, std::string& into) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return false;
  into = found->get<std::string>();
  return true;
}

}  // namespace

store::Place events_of(const AppName& app) {
  return {.kind = store::Kind::event, .store = app.str()};
}

std::string encode(const CloudEvent& event) {
  const Json json = {{"id", event.id},           {"source", event.source}, {"type", event.type},
                     {"subject", event.subject}, {"time", event.time},     {"schema", event.schema},
                     {"more", event.extensions}, {"data", event.data}};
  std::string bytes;
  Json::to_msgpack(json, bytes);
  return bytes;
}

// The record is ours, but the disk it comes from may lie.
Result<CloudEvent> decode_event(std::string_view record) {
  const auto damaged = [] { return fail(Code::data_corrupt, "the record of an event is damaged"); };
  const Json json = Json::from_msgpack(record, true, false);
  CloudEvent event;
  if (!json.is_object() || !read_text(json, "id", event.id) ||
      !read_text(json, "source", event.source) || !read_text(json, "type", event.type) ||
      !read_text(json, "subject", event.subject) || !read_text(json, "time", event.time) ||
      !read_text(json, "schema", event.schema) || !read_text(json, "data", event.data) ||
      !json.contains("more") || !json["more"].is_array()) {
    return damaged();
  }
  for (const Json& pair : json["more"]) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string())
      return damaged();
    event.extensions.emplace_back(pair[0], pair[1]);
  }
  return event;
}

Result<std::string> new_id(std::string_view prefix, WallTime now) {
  std::array<std::byte, 10> chance{};
  if (::getrandom(chance.data(), chance.size(), 0) != static_cast<ssize_t>(chance.size()))
    return fail(Code::io, "the system gives no random numbers");
  return fmt::format("{}_{:012x}{}", prefix, store::milliseconds(now), to_hex(chance));
}

}  // namespace carrel::hook
