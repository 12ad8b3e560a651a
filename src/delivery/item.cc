#include "delivery/item.h"

#include <nlohmann/json.hpp>
#include <vector>

namespace carrel::delivery {
namespace {

using Json = nlohmann::json;

bool read_number(const Json& json, const char* key, std::uint64_t& into) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number_unsigned()) return false;
  into = found->get<std::uint64_t>();
  return true;
}

bool read_bytes(const Json& json, const char* key, std::string& into) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_binary()) return false;
  const auto& bytes = found->get_binary();
  into.assign(bytes.begin(), bytes.end());
  return true;
}

Json binary(std::string_view bytes) {
  return Json::binary(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
}

}  // namespace

std::string record_name(const Name& name) {
  std::string text = name.lane;
  text += '\0';
  text += name.id;
  return text;
}

std::optional<Name> parse_record_name(std::string_view text) {
  const auto middle = text.find('\0');
  if (middle == std::string_view::npos || middle == 0 || middle + 1 == text.size()) return {};
  return Name{.lane = std::string(text.substr(0, middle)),
              .id = std::string(text.substr(middle + 1))};
}

std::string_view owner_in(std::string_view lane) {
  const auto first = lane.find(':');
  if (first == std::string_view::npos) return lane;
  return lane.substr(0, lane.find(':', first + 1));
}

std::string encode(const Item& item) {
  const Json json = {{"made", item.made},
                     {"due", item.due},
                     {"marked", item.marked},
                     {"attempts", item.attempts},
                     {"cause", binary(std::string_view(item.cause).substr(0, kMostCause))},
                     {"body", binary(item.body)}};
  std::string bytes;
  Json::to_msgpack(json, bytes);
  return bytes;
}

// The record is ours, but the disk it comes from may lie.
Result<Item> decode(Name name, std::string_view record) {
  const Json json = Json::from_msgpack(record, true, false);
  Item item{.name = std::move(name)};
  std::uint64_t attempts = 0;
  if (!json.is_object() || !read_number(json, "made", item.made) ||
      !read_number(json, "due", item.due) || !read_number(json, "marked", item.marked) ||
      !read_number(json, "attempts", attempts) || attempts > UINT32_MAX ||
      !read_bytes(json, "cause", item.cause) || !read_bytes(json, "body", item.body)) {
    return fail(Code::data_corrupt, "the record of a delivery is damaged");
  }
  item.attempts = static_cast<unsigned>(attempts);
  return item;
}

Result<void> put_new(store::Transaction& transaction, const Name& name, std::string body,
                     std::uint64_t now) {
  const Item item{.name = name, .body = std::move(body), .made = now, .due = now};
  return transaction.put(kOpen, record_name(name), {.bytes = encode(item)});
}

}  // namespace carrel::delivery
