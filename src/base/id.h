// Strong ids: two kinds of names never mix, and none converts to a string by accident.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <utility>

namespace carrel {

template <typename Tag>
class StrongName {
 public:
  StrongName() = default;
  explicit StrongName(std::string value) : value_(std::move(value)) {}
  const std::string& str() const { return value_; }
  auto operator<=>(const StrongName&) const = default;

 private:
  std::string value_;
};

using TenantName = StrongName<struct TenantTag>;
using AppName = StrongName<struct AppTag>;
using ModuleName = StrongName<struct ModuleTag>;

}  // namespace carrel

template <typename Tag>
struct std::hash<carrel::StrongName<Tag>> {
  std::size_t operator()(const carrel::StrongName<Tag>& name) const {
    return std::hash<std::string>()(name.str());
  }
};
