// What is said about each finished request, as a JSON line or as a line for the person at `carrel
// dev`.
//
// Paths are logged, query strings and headers are not: they carry tokens and what people typed.
#pragma once

#include <memory>

#include "base/clock.h"
#include "net/server.h"
#include "observe/line_writer.h"

namespace carrel::server {

// Owner: the composition root; outlives the listeners. Thread: any shard's.
std::unique_ptr<net::AccessLog> json_access_log(std::shared_ptr<observe::LineWriter> writer,
                                                const Clock& clock);

// "GET /price/mug 200 1.2 ms"
std::unique_ptr<net::AccessLog> text_access_log(std::shared_ptr<observe::LineWriter> writer);

}  // namespace carrel::server
