#include "store/part_names.h"

#include <array>
#include <span>
#include <utility>

#include "base/hex.h"

namespace carrel::store {
namespace {

constexpr std::size_t kHash = std::tuple_size_v<PartHash>;

bool plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

}  // namespace

std::string hex(const PartHash& hash) { return to_hex(std::as_bytes(std::span(hash))); }

std::optional<PartHash> unhex(std::string_view text) {
  PartHash hash;
  if (!from_hex(text, std::as_writable_bytes(std::span(hash)))) return std::nullopt;
  if (hex(hash) != text) return std::nullopt;  // a name has one spelling
  return hash;
}

std::string folder_name(const TenantName& tenant) {
  std::string name;
  for (const char c : tenant.str()) {
    if (plain(c)) {
      name += c;
    } else {
      const std::array byte = {static_cast<std::byte>(c)};
      name += '%' + to_hex(byte);
    }
  }
  return name;
}

std::optional<TenantName> tenant_of(std::string_view name) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '%') {
      text += name[i];
      continue;
    }
    if (i + 2 >= name.size()) return std::nullopt;
    const int high = hex_digit(name[i + 1]), low = hex_digit(name[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    text += static_cast<char>(high << 4 | low);
    i += 2;
  }
  TenantName tenant(std::move(text));
  if (folder_name(tenant) != name) return std::nullopt;
  return tenant;
}

std::optional<PartName> part_named(std::string_view file_name) {
  const auto hash = unhex(file_name.substr(0, 2 * kHash));
  if (!hash) return {};
  if (file_name.size() == 2 * kHash) return PartName{.hash = *hash};
  if (file_name[2 * kHash] != '.' || !file_name.ends_with(".new")) return {};
  return PartName{.hash = *hash, .form = PartName::Form::being_written};
}

}  // namespace carrel::store
