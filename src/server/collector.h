// Where traces are sent to.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "net/url.h"

namespace carrel::server {

// Named by the operator, who may name any address.
struct Collector {
  net::Url url;  // "http://127.0.0.1:4318/v1/traces": OTLP over HTTP
  std::vector<std::pair<std::string, std::string>> headers;
  double ratio = 1;  // of traces that begin here; those of others are theirs to decide
};

}  // namespace carrel::server
