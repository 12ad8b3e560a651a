// An event: why a turn runs, in CloudEvents' terms, and for HTTP the request itself.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/stream.h"
#include "base/clock.h"
#include "net/http.h"

namespace carrel::turn {

// What routing found out about a request. Views into the request and the deployment's routes.
struct HttpTarget {
  std::string_view route;          // as written: "/price/:sku", "/files/*", wagi's "/x/..."
  std::string_view script_name;    // the part of the path that named the function
  std::string path_info;           // the rest, decoded; starts with '/' or is empty
  std::string_view raw_path_info;  // the same, undecoded
  std::vector<std::pair<std::string_view, std::string>> parameters;  // decoded
};

// Owner: the pattern that made it; outlives its turn, as what it views does.
struct Event {
  std::string_view id;      // unique within `source`; empty: the turn's
  std::string_view source;  // URI reference
  std::string_view type;    // "carrel.http.request", or the producer's
  std::string_view subject;
  WallTime time;
  std::vector<std::pair<std::string, std::string>> attributes;  // extensions, lower-case names
  async::ByteSource* body = nullptr;                            // null: none
  std::string identity = {};  // JSON: what is known of who caused it; empty: nothing

  // Set for a request only.
  const net::Request* request = nullptr;
  const HttpTarget* target = nullptr;
};

}  // namespace carrel::turn
