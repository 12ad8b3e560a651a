// What `GET /metrics` answers: the figures of all parts, those of the shards added up.
//
// docs/reference/metrics.md has every family, and a test holds the two to each other. Each family
// is there from the start, if it has samples or not. Labels are of few values, but for the names of
// tenants and apps, which runtime/app_figures.h bounds.
#pragma once

#include <string>

namespace carrel::server {

struct Graph;

// Any thread, while the graph is whole.
std::string scrape(const Graph& graph);

}  // namespace carrel::server
