#include "net/dns_answer.h"

#include <arpa/nameser.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

namespace carrel::net {
namespace {

using Bytes = std::span<const unsigned char>;

// Calls `take(type, data)` for each record of class IN. False: the message is damaged.
template <typename Take>
bool each_record(Bytes message, Take take) {
  ns_msg handle;
  if (message.size() > std::numeric_limits<int>::max() ||
      ns_initparse(message.data(), static_cast<int>(message.size()), &handle) != 0) {
    return false;
  }
  const auto count = std::min<std::size_t>(ns_msg_count(handle, ns_s_an), kMostDnsRecords);
  for (std::size_t i = 0; i < count; ++i) {
    ns_rr record;
    if (ns_parserr(&handle, ns_s_an, static_cast<int>(i), &record) != 0) return false;
    if (ns_rr_class(record) != ns_c_in) continue;
    if (!take(ns_rr_type(record), Bytes(ns_rr_rdata(record), ns_rr_rdlen(record)))) return false;
  }
  return true;
}

std::optional<std::string> text_in(Bytes data) {
  std::string text;
  while (!data.empty()) {
    const std::size_t size = data[0];
    if (size + 1 > data.size()) return {};
    text.append(reinterpret_cast<const char*>(data.data()) + 1, size);
    data = data.subspan(size + 1);
  }
  return text;
}

}  // namespace

std::optional<std::vector<std::string>> texts_in(Bytes message) {
  std::vector<std::string> texts;
  const bool good = each_record(message, [&texts](int type, Bytes data) {
    if (type != ns_t_txt) return true;
    auto text = text_in(data);
    if (text) texts.push_back(std::move(*text));
    return text.has_value();
  });
  if (!good) return {};
  return texts;
}

std::optional<std::vector<IpAddress>> addresses_in(Bytes message) {
  std::vector<IpAddress> addresses;
  const bool good = each_record(message, [&addresses](int type, Bytes data) {
    if (type != ns_t_a && type != ns_t_aaaa) return true;
    IpAddress address{.v6 = type == ns_t_aaaa};
    if (data.size() != (address.v6 ? 16U : 4U)) return false;
    std::memcpy(address.bytes.data(), data.data(), data.size());
    addresses.push_back(address);
    return true;
  });
  if (!good) return {};
  return addresses;
}

}  // namespace carrel::net
