#include "store/part_names.h"

namespace carrel::store {
namespace {

constexpr std::size_t kHash = std::tuple_size_v<PartHash>;
constexpr char kDigits[] = "0123456789abcdef";

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

}  // namespace

std::string hex(const PartHash& hash) {
  std::string text;
  for (std::uint8_t byte : hash) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::optional<PartHash> unhex(std::string_view text) {
  if (text.size() != 2 * kHash) return std::nullopt;
  PartHash hash;
  for (std::size_t i = 0; i < kHash; ++i) {
    int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    hash[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return hash;
}

std::string folder_name(const TenantName& tenant) {
  std::string name;
  for (char c : tenant.str()) {
    if (plain(c)) {
      name += c;
    } else {
      auto byte = static_cast<std::uint8_t>(c);
      name += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return name;
}

std::optional<TenantName> tenant_of(std::string_view name) {
  std::string tenant;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '%') {
      tenant += name[i];
      continue;
    }
    if (i + 2 >= name.size()) return std::nullopt;
    int high = digit(name[i + 1]), low = digit(name[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    tenant += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return TenantName(std::move(tenant));
}

std::optional<PartName> part_named(std::string_view file_name) {
  const auto hash = unhex(file_name.substr(0, 2 * kHash));
  if (!hash) return {};
  if (file_name.size() == 2 * kHash) return PartName{.hash = *hash};
  if (file_name[2 * kHash] != '.' || !file_name.ends_with(".new")) return {};
  return PartName{.hash = *hash, .form = PartName::Form::being_written};
}

}  // namespace carrel::store
