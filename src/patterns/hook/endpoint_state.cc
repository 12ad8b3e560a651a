#include "patterns/hook/endpoint_state.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace carrel::hook {
namespace {

using async::Task;
using Json = nlohmann::json;

std::unexpected<Error> damaged() {
  return fail(Code::data_corrupt, "what is known of an endpoint is damaged");
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

template <typename T>
bool read(const Json& json, const char* key, T& into) {
  const auto found = json.find(key);
  if (found == json.end()) return false;
  if constexpr (std::is_same_v<T, std::string>) {
    if (!found->is_string()) return false;
  } else if (!found->is_number_unsigned()) {
    return false;
  }
  into = found->template get<T>();
  return true;
}

Json to_json(const AttemptNote& note) {
  return {{"at", note.at},           {"id", note.id},
          {"attempt", note.attempt}, {"status", static_cast<unsigned>(note.status)},
          {"millis", note.millis},   {"cause", note.cause}};
}

Result<AttemptNote> note_of(const Json& json) {
  AttemptNote note;
  unsigned status = 0;
  if (!json.is_object() || !read(json, "at", note.at) || !read(json, "id", note.id) ||
      !read(json, "attempt", note.attempt) || !read(json, "status", status) ||
      !read(json, "millis", note.millis) || !read(json, "cause", note.cause)) {
    return damaged();
  }
  note.status = static_cast<int>(status);
  return note;
}

}  // namespace

std::string encode(const AttemptNote& note) { return text_of(to_json(note)); }

Result<AttemptNote> decode_note(std::string_view text) {
  return note_of(Json::parse(text, nullptr, false));
}

std::string encode(const EndpointState& state) {
  Json notes = Json::array();
  for (const AttemptNote& note : state.notes) notes.push_back(to_json(note));
  return text_of({{"failing_since", state.failing_since},
                  {"disabled", state.disabled},
                  {"why", state.why},
                  {"notes", std::move(notes)}});
}

Result<EndpointState> decode_endpoint(std::string_view record) {
  const Json json = Json::parse(record, nullptr, false);
  EndpointState state;
  if (!json.is_object() || !read(json, "failing_since", state.failing_since) ||
      !read(json, "disabled", state.disabled) || !read(json, "why", state.why) ||
      !json.contains("notes") || !json["notes"].is_array()) {
    return damaged();
  }
  for (const Json& each : json["notes"]) {
    CARREL_TRY(auto note, note_of(each));
    state.notes.push_back(std::move(note));
  }
  return state;
}

bool add_note(EndpointState& state, AttemptNote note, std::uint64_t disable_after) {
  constexpr std::size_t kMostCause = 256;
  if (note.cause.size() > kMostCause) note.cause.resize(kMostCause);
  const bool was = state.disabled != 0;
  if (note.cause.empty()) {
    state.failing_since = 0;
  } else if (state.failing_since == 0) {
    state.failing_since = note.at;
  }
  if (!was && note.status == 410) {
    state.why = "it answered 410: it is gone";
    state.disabled = note.at;
  } else if (!was && state.failing_since != 0 &&
             note.at - std::min(note.at, state.failing_since) >= disable_after) {
    state.why = fmt::format("nothing but failures for {} hours; the last: {}",
                            (note.at - state.failing_since) / 3'600'000, note.cause);
    state.disabled = note.at;
  }
  state.notes.insert(state.notes.begin(), std::move(note));
  if (state.notes.size() > kMostNoted) state.notes.resize(kMostNoted);
  return !was && state.disabled != 0;
}

Task<Result<EndpointState>> read_endpoint(store::Transaction* transaction, std::string lane) {
  CARREL_CO_TRY(const store::Record* const found, co_await transaction->read(kEndpoints, lane));
  if (found == nullptr) co_return EndpointState();
  co_return decode_endpoint(found->bytes);
}

}  // namespace carrel::hook
