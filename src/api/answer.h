// What the API answers: a head and a body, made at once.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "net/http.h"

namespace carrel::api {

struct Answer {
  net::ReplyHead head;
  std::string body;
};

Answer no_content();                   // it is done
std::string time_text(WallTime time);  // RFC 3339, to the second
net::ReplyHead head_of(int status, std::string_view type);
// Adds a stored thing's name: "name", or "name64", its base64, when it is not UTF-8.
void add_name(nlohmann::json& json, const std::string& name);
// Bytes that are not UTF-8 are replaced.
Answer json_answer(const nlohmann::json& json);
Answer problem(const Error& error, std::uint64_t id);
// With what was wrong, besides the title: for messages that are the node's own.
Answer explained_problem(const Error& error, std::uint64_t id);

}  // namespace carrel::api
