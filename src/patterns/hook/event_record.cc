#include "patterns/hook/event_record.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/hex.h"
#include "store/record.h"
#include "turn/step.h"

namespace carrel::hook {
namespace {

using async::Task;
using Json = nlohmann::json;

constexpr std::size_t kPage = 500;  // names read at once, and erased in one commit

bool read_text(const Json& json, const char* key, std::string& into) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return false;
  into = found->get<std::string>();
  return true;
}

class Erase final : public turn::Step {
 public:
  Erase(const AppName& app, std::vector<std::string> ids)
      : place_(events_of(app)), ids_(std::move(ids)) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    for (const std::string& id : ids_) {
      CARREL_CO_TRY(const store::Record* const found,
                    co_await transaction.read(place_, id, store::Track::no));
      if (found != nullptr) CARREL_CO_TRY_VOID(transaction.erase(place_, id));
    }
    co_return Result<void>();
  }

 private:
  store::Place place_;
  std::vector<std::string> ids_;
};

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

std::optional<WallTime> time_of_id(std::string_view id) {
  constexpr std::size_t kDigits = 12;
  const auto begin = id.find('_');
  if (begin == std::string_view::npos || id.size() < begin + 1 + kDigits) return {};
  const std::string_view digits = id.substr(begin + 1, kDigits);
  std::uint64_t time = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), time, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return {};
  return WallTime(std::chrono::milliseconds(time));
}

Task<Result<void>> erase_event(turn::Services services, TenantName tenant, AppName app,
                               std::string id) {
  Erase step(app, {std::move(id)});
  co_return co_await turn::commit(services, std::move(tenant), {}, &step);
}

Task<Result<std::size_t>> erase_events(store::Transaction* transaction, AppName app) {
  constexpr std::size_t kErased = 64;  // an event may be large, and is read
  const store::Place place = events_of(app);
  CARREL_CO_TRY(const store::NamePage page,
                co_await transaction->read_names(place, "", "", kErased));
  for (const auto& entry : page.entries) {
    CARREL_CO_TRY_VOID(co_await transaction->look(place, entry.name, store::Track::no));
    CARREL_CO_TRY_VOID(transaction->erase(place, entry.name));
  }
  co_return page.entries.size();
}

Task<Result<void>> sweep_events(turn::Services services, TenantName tenant, AppName app,
                                std::function<bool(const std::string& id)> is_needed) {
  std::string after;
  for (bool end = false; !end;) {
    store::Transaction transaction(*services.store, tenant, {});
    CARREL_CO_TRY(const store::NamePage page,
                  co_await transaction.read_names(events_of(app), "", after, kPage));
    end = page.end || page.entries.empty();
    std::vector<std::string> ids;
    for (const auto& entry : page.entries) {
      after = entry.name;
      if (!is_needed(entry.name)) ids.push_back(entry.name);
    }
    if (ids.empty()) continue;
    Erase step(app, std::move(ids));
    CARREL_CO_TRY_VOID(co_await turn::commit(services, tenant, {}, &step));
  }
  co_return Result<void>();
}

}  // namespace carrel::hook
