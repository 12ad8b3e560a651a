#include "patterns/hook/cloud_event.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/hex.h"
#include "base/utf8.h"
#include "document/json_text.h"

namespace carrel::hook {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kStructured = "application/cloudevents";

std::unexpected<Error> refused(std::string what) {
  return fail(Code::invalid_argument, std::move(what));
}

std::string lowered(std::string_view text) {
  std::string all(text);
  std::ranges::transform(all, all.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return all;
}

// "application/json" of "application/json; charset=utf-8".
std::string media_type(std::string_view value) {
  std::string type = lowered(value.substr(0, value.find(';')));
  while (!type.empty() && (type.back() == ' ' || type.back() == '\t')) type.pop_back();
  return type;
}

bool is_json(std::string_view type) { return type.ends_with("/json") || type.ends_with("+json"); }

bool is_extension(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  });
}

// A header's value: a quoted text is taken out of its quotes, then percent signs are undone once.
std::optional<std::string> decode_header(std::string_view value) {
  std::string plain;
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (value[i] == '\\') ++i;
      if (i == value.size()) return {};
      plain += value[i];
    }
  } else {
    plain = value;
  }
  std::string text;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (plain[i] != '%') {
      text += plain[i];
      continue;
    }
    if (i + 2 >= plain.size()) return {};
    const int high = hex_digit(plain[i + 1]);
    const int low = hex_digit(plain[i + 2]);
    if (high < 0 || low < 0) return {};
    text += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (!is_utf8(text)) return {};
  return text;
}

std::string encode_header(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '"' && c != '%') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

Result<void> set_attribute(CloudEvent& event, const std::string& name, std::string value) {
  if (value.empty() || value.size() > kMostAttribute ||
      std::ranges::any_of(value, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
    return refused(
        fmt::format("the attribute {} of the CloudEvent has 1 to {} bytes, without "
                    "control characters",
                    name, kMostAttribute));
  }
  if (name == "id") {
    event.id = std::move(value);
  } else if (name == "source") {
    event.source = std::move(value);
  } else if (name == "type") {
    event.type = std::move(value);
  } else if (name == "subject") {
    event.subject = std::move(value);
  } else if (name == "time") {
    event.time = std::move(value);
  } else if (name == "dataschema") {
    event.schema = std::move(value);
  } else if (name == "specversion") {
    if (value != "1.0") return refused("the CloudEvent is not of specversion 1.0");
  } else if (name == "datacontenttype") {
    if (!is_json(media_type(value))) return refused("the data of the CloudEvent is not JSON");
  } else {
    if (!is_extension(name) || name == "data")
      return refused(
          "a CloudEvent's attributes have names of a-z and 0-9, 64 at most, and none is \"data\"");
    if (event.extensions.size() == kMostExtensions)
      return refused(fmt::format("a CloudEvent has at most {} extensions", kMostExtensions));
    event.extensions.emplace_back(name, std::move(value));
  }
  return {};
}

Result<CloudEvent> complete(CloudEvent event) {
  if (event.id.empty() || event.source.empty() || event.type.empty())
    return refused("a CloudEvent has id, source, type and specversion");
  return event;
}

Result<CloudEvent> read_binary(const net::Request& request, std::string body) {
  CloudEvent event;
  bool version = false;
  std::vector<std::string> seen;
  for (const net::Header& header : request.headers) {
    const std::string name = lowered(header.name);
    if (!name.starts_with("ce-")) continue;
    if (std::ranges::find(seen, name) != seen.end())
      return refused(fmt::format("the header {} is there twice", name));
    seen.push_back(name);
    auto value = decode_header(header.value);
    if (!value) return refused(fmt::format("the header {} is not encoded as one", name));
    version = version || name == "ce-specversion";
    CARREL_TRY_VOID(set_attribute(event, name.substr(3), std::move(*value)));
  }
  if (!version) return refused("a CloudEvent has id, source, type and specversion");
  const std::string type = media_type(request.header("content-type"));
  if (!type.empty() && !is_json(type)) return refused("the data of the CloudEvent is not JSON");
  event.data = std::move(body);
  return complete(std::move(event));
}

std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<CloudEvent> read_structured(const std::string& body) {
  if (auto json = document::check_json(body, {.bytes = kMostEvent * 2, .depth = 64}); !json)
    return refused("the CloudEvent: " + json.error().message());
  const Json json = Json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("specversion"))
    return refused("a CloudEvent has id, source, type and specversion");
  CloudEvent event;
  for (const auto& [name, value] : json.items()) {
    if (value.is_null() && name != "data") continue;  // as if it were not there
    if (name == "data") {
      event.data = text_of(value);
    } else if (name == "data_base64") {
      auto data = from_base64(value.is_string() ? value.get<std::string>() : "!");
      if (!data || json.contains("data")) return refused("data_base64 of the CloudEvent is wrong");
      event.data = std::move(*data);
    } else if (value.is_string() || value.is_boolean() || value.is_number_integer()) {
      CARREL_TRY_VOID(set_attribute(event, name,
                                    value.is_string() ? value.get<std::string>() : text_of(value)));
    } else {
      return refused(fmt::format("the attribute {} of the CloudEvent is no text",
                                 is_extension(name) ? name : "with a strange name"));
    }
  }
  return complete(std::move(event));
}

}  // namespace

Result<CloudEvent> read_event(const net::Request& request, std::string body) {
  const std::string type = media_type(request.header("content-type"));
  if (type.starts_with("application/cloudevents-batch"))
    return refused("events are emitted one by one, not in batches");
  if (type.starts_with(kStructured)) {
    if (type != kStructured && type != "application/cloudevents+json")
      return refused("a structured CloudEvent is application/cloudevents+json here");
    return read_structured(body);
  }
  const bool binary = std::ranges::any_of(request.headers, [](const net::Header& header) {
    return lowered(header.name).starts_with("ce-");
  });
  if (binary) return read_binary(request, std::move(body));
  return CloudEvent{.data = std::move(body)};
}

EventMessage message_of(const CloudEvent& event, app::EventFormat format) {
  EventMessage message;
  const auto quoted = [](const std::string& text) { return text_of(Json(text)); };
  if (format == app::EventFormat::standard) {
    message.headers.emplace_back("content-type", "application/json");
    message.body = fmt::format(R"({{"type":{},"timestamp":{},"data":{}}})", quoted(event.type),
                               quoted(event.time), event.data);
    return message;
  }
  std::vector<std::pair<std::string, std::string>> attributes = {{"specversion", "1.0"},
                                                                 {"id", event.id},
                                                                 {"source", event.source},
                                                                 {"type", event.type},
                                                                 {"time", event.time}};
  if (!event.subject.empty()) attributes.emplace_back("subject", event.subject);
  if (!event.schema.empty()) attributes.emplace_back("dataschema", event.schema);
  attributes.insert(attributes.end(), event.extensions.begin(), event.extensions.end());
  if (format == app::EventFormat::binary) {
    for (const auto& [name, value] : attributes)
      message.headers.emplace_back("ce-" + name, encode_header(value));
    message.headers.emplace_back("content-type", "application/json");
    message.body = event.data;
    return message;
  }
  message.headers.emplace_back("content-type", "application/cloudevents+json");
  message.body = "{";
  for (const auto& [name, value] : attributes)
    message.body += fmt::format("{}:{},", quoted(name), quoted(value));
  message.body += fmt::format(R"("datacontenttype":"application/json","data":{}}})", event.data);
  return message;
}

std::string rfc3339(WallTime time) {
  const auto at = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (at - seconds).count());
}

}  // namespace carrel::hook
