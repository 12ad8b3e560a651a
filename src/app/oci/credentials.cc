#include "app/oci/credentials.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/base64.h"

namespace carrel::oci {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kDockerHub = "docker.io";

std::unexpected<Error> bad(std::string_view why) {
  return fail(Code::invalid_config, fmt::format("the registries' logins cannot be read: {}", why),
              "log in again with `docker login` or `oras login`, or correct the file");
}

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// "https://index.docker.io/v1/" -> "docker.io"; "https://ghcr.io/v2/" -> "ghcr.io"
std::string registry_of(std::string key) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (key.starts_with(scheme)) key.erase(0, scheme.size());
  }
  while (key.ends_with('/')) key.pop_back();
  for (const std::string_view version : {"/v1", "/v2"}) {
    if (key.ends_with(version)) key.resize(key.size() - version.size());
  }
  if (key == "index.docker.io" || key == "registry-1.docker.io") return std::string(kDockerHub);
  return key;
}

Result<Login> read_login(const std::string& key, const Json& entry) {
  if (!entry.is_object()) return bad(fmt::format("the entry of {} is no object", key));
  Login login{.user = text_at(entry, "username"),
              .password = text_at(entry, "password"),
              .identity_token = text_at(entry, "identitytoken")};
  const std::string both = text_at(entry, "auth");
  if (both.empty()) return login;
  const auto decoded = from_base64(both);
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) {
    return bad(fmt::format("`auth` of {} is not USER:PASSWORD in base64", key));
  }
  login.user = decoded->substr(0, colon);
  login.password = decoded->substr(colon + 1);
  while (login.password.ends_with('\0')) login.password.pop_back();  // docker's padding
  return login;
}

bool covers(std::string_view key, std::string_view name) {
  return name.starts_with(key) && (name.size() == key.size() || name[key.size()] == '/');
}

template <typename T>
const T* longest(const std::vector<std::pair<std::string, T>>& entries, std::string_view name) {
  const std::pair<std::string, T>* best = nullptr;
  for (const auto& entry : entries) {
    if (!covers(entry.first, name)) continue;
    if (best == nullptr || entry.first.size() > best->first.size()) best = &entry;
  }
  return best == nullptr ? nullptr : &best->second;
}

std::string name_of(const Reference& reference) {
  return registry_of(reference.registry) + "/" + reference.repository;
}

}  // namespace

Result<Credentials> Credentials::parse(std::string_view text) {
  if (text.size() > kMostBytes) return bad("it is too large");
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return bad("it is no JSON object");
  Credentials credentials;
  if (const auto auths = json.find("auths"); auths != json.end()) {
    if (!auths->is_object()) return bad("`auths` is no object");
    for (const auto& [key, entry] : auths->items()) {
      CARREL_TRY(Login login, read_login(key, entry));
      const bool empty = login.user.empty() && login.identity_token.empty();
      if (!empty) credentials.logins_.emplace_back(registry_of(key), std::move(login));
    }
  }
  if (const auto helpers = json.find("credHelpers"); helpers != json.end()) {
    if (!helpers->is_object()) return bad("`credHelpers` is no object");
    for (const auto& [key, helper] : helpers->items()) {
      if (helper.is_string())
        credentials.helpers_.emplace_back(registry_of(key), helper.get<std::string>());
    }
  }
  credentials.every_other_ = text_at(json, "credsStore");
  return credentials;
}

std::optional<Login> Credentials::find(const Reference& reference) const {
  const Login* login = longest(logins_, name_of(reference));
  return login == nullptr ? std::nullopt : std::optional(*login);
}

std::optional<std::string> Credentials::helper_of(const Reference& reference) const {
  if (const std::string* helper = longest(helpers_, name_of(reference))) return *helper;
  if (!every_other_.empty()) return every_other_;
  return std::nullopt;
}

}  // namespace carrel::oci
