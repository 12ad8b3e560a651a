// What a test case says of the module's calls to the outside: each [[http]] is a call that must
// come, in this order, and what it is answered.
//
//   [[http]]
//   method = "POST"                       # else GET
//   url = "https://rates.example.com/eur"
//   headers = { accept = "text/plain" }   # among others; may be left out
//   body = "..."                          # may be left out
//   reply = { status = 200, headers = { content-type = "text/plain" }, body = "1.09" }
//
//   error = "refused"                     # instead of a reply
//
// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "app/table_reader.h"
#include "base/error.h"
#include "net/http.h"
#include "net/url.h"

namespace carrel::app {

struct CaseCall {
  std::string method = "GET";
  net::Url url;
  Pairs headers;                    // names without case
  std::optional<std::string> body;  // all of it; nothing is not checked
  net::ReplyHead reply;
  std::string reply_body;
  std::optional<Code> error;
};

// "refused", as in `error`; empty: a case has no name for it.
std::string_view failure_name(Code code);

// Problems are added to the reader's.
CaseCall read_call(TableReader& table);

}  // namespace carrel::app
