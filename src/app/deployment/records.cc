#include "app/deployment/records.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/deployment/unpack.h"
#include "store/part_list.h"
#include "store/record.h"

namespace carrel::deployment {
namespace {

using Json = nlohmann::json;

std::unexpected<Error> damaged(std::string_view what) {
  return fail(Code::data_corrupt, fmt::format("the record of {} is damaged", what));
}

WallTime time_of(std::uint64_t milliseconds) {
  return WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds)));
}

// Of our own records: what does not fit is damage.
bool read_number(const Json& json, const char* key, std::uint64_t& into) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_unsigned()) return false;
  into = found->get<std::uint64_t>();
  return true;
}

bool read_text(const Json& json, const char* key, std::string& into) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return false;
  into = found->get<std::string>();
  return true;
}

bool read_numbers(const Json& json, const char* key, std::vector<std::uint64_t>& into) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) return false;
  for (const Json& each : *found) {
    if (!each.is_number_unsigned()) return false;
    into.push_back(each.get<std::uint64_t>());
  }
  return true;
}

bool read_shares(const Json& json, std::vector<Share>& into) {
  const auto found = json.find("live");
  if (found == json.end() || !found->is_array()) return false;
  for (const Json& each : *found) {
    std::uint64_t version = 0;
    std::uint64_t percent = 0;
    if (!read_number(each, "version", version) || !read_number(each, "percent", percent) ||
        percent > 100) {
      return false;
    }
    into.push_back({.version = version, .percent = static_cast<unsigned>(percent)});
  }
  return true;
}

// None: no module is from a registry.
bool read_sources(const Json& json, std::map<std::string, std::string>& into) {
  const auto found = json.find("sources");
  if (found == json.end()) return true;
  if (!found->is_object()) return false;
  for (const auto& [module, reference] : found->items()) {
    if (!reference.is_string()) return false;
    into[module] = reference.get<std::string>();
  }
  return true;
}

void remember(AppRecord& app, std::uint64_t version) {
  std::erase(app.before, version);
  app.before.push_back(version);
  if (app.before.size() > kMostBefore) app.before.erase(app.before.begin());
}

void make_live(AppRecord& app, std::uint64_t version) {
  app.live = {{.version = version}};
  std::erase(app.before, version);
  std::erase(app.previews, version);
}

}  // namespace

bool AppRecord::serves(std::uint64_t version) const {
  return std::ranges::find(live, version, &Share::version) != live.end() ||
         std::ranges::find(previews, version) != previews.end();
}

bool AppRecord::needs(std::uint64_t version) const {
  return serves(version) || std::ranges::find(before, version) != before.end();
}

std::string encode(const AppRecord& app) {
  Json live = Json::array();
  for (const Share& share : app.live)
    live.push_back({{"version", share.version}, {"percent", share.percent}});
  Json json = {{"revision", app.revision},
               {"next", app.next},
               {"live", live},
               {"before", app.before},
               {"previews", app.previews}};
  if (app.removed) json["removed"] = store::milliseconds(*app.removed);
  return json.dump();
}

Result<AppRecord> decode_app(std::string_view record) {
  const Json json = Json::parse(record, nullptr, false);
  AppRecord app;
  if (!json.is_object() || !read_number(json, "revision", app.revision) ||
      !read_number(json, "next", app.next) || !read_shares(json, app.live) ||
      !read_numbers(json, "before", app.before) || !read_numbers(json, "previews", app.previews)) {
    return damaged("an app");
  }
  std::uint64_t removed = 0;
  if (read_number(json, "removed", removed)) app.removed = time_of(removed);
  return app;
}

std::string encode(const Version& version) {
  Json json = {{"created", store::milliseconds(version.created)},
               {"by", version.by},
               {"message", version.message},
               {"files", to_json(version.bundle)}};
  if (!version.sources.empty()) json["sources"] = version.sources;
  return store::encode_version(parts_of(version.bundle),
                               json.dump(-1, ' ', false, Json::error_handler_t::replace));
}

Result<Version> decode_version(std::string_view name, std::string_view record) {
  const auto number = version_named(name);
  const auto bytes = store::decode_version(record);
  const Json json = bytes ? Json::parse(bytes->rest, nullptr, false) : Json();
  Version version;
  std::uint64_t created = 0;
  if (!number || !json.is_object() || !read_number(json, "created", created) ||
      !read_text(json, "by", version.by) || !read_text(json, "message", version.message) ||
      !read_sources(json, version.sources) || !json.contains("files")) {
    return damaged("a version");
  }
  auto bundle = read_settled(json["files"]);
  if (!bundle) return damaged("a version");
  version.number = *number;
  version.created = time_of(created);
  version.bundle = std::move(*bundle);
  return version;
}

store::Place versions_of(const AppName& app) {
  return {.kind = store::Kind::version, .store = app.str()};
}

std::string name_of_version(std::uint64_t number) {
  return store::encode_count(static_cast<std::int64_t>(number));
}

std::optional<std::uint64_t> version_named(std::string_view name) {
  const auto number = store::decode_count(name);
  if (!number || *number < 1) return {};
  return static_cast<std::uint64_t>(*number);
}

Result<void> activate(AppRecord& app, std::uint64_t version, unsigned percent) {
  if (percent < 1 || percent > 100)
    return fail(Code::invalid_argument, "a share is 1 to 100 percent");
  if (percent == 100) {
    if (!app.live.empty() && app.live.front().version != version)
      remember(app, app.live.front().version);
    make_live(app, version);
    return {};
  }
  const std::uint64_t before = app.live.empty() ? 0 : app.live.front().version;
  std::vector<Share> others = app.live;
  std::erase_if(others, [version](const Share& share) { return share.version == version; });
  if (others.size() != 1) {
    return fail(Code::invalid_argument,
                others.empty() ? "there is no other version to share the requests with; give it 100"
                               : "two versions share the requests already; give one of them 100");
  }
  std::erase(app.previews, version);
  app.live = {{.version = others.front().version, .percent = 100 - percent},
              {.version = version, .percent = percent}};
  if (version == before) std::ranges::reverse(app.live);
  return {};
}

Result<void> roll_back(AppRecord& app) {
  if (app.live.size() > 1) {
    make_live(app, app.live.front().version);
    return {};
  }
  if (app.before.empty())
    return fail(Code::not_found, "there is no version before the one that is live");
  const std::uint64_t to = app.before.back();
  make_live(app, to);
  return {};
}

void preview(AppRecord& app, std::uint64_t version) {
  if (app.serves(version)) return;
  app.previews.push_back(version);
  if (app.previews.size() > kMostPreviews) app.previews.erase(app.previews.begin());
}

Result<void> end_preview(AppRecord& app, std::uint64_t version) {
  if (std::erase(app.previews, version) > 0) return {};
  return fail(Code::not_found, "that version has no preview");
}

}  // namespace carrel::deployment
