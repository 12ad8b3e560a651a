// A site: what one app serves over HTTP. Made from a manifest once, immutable, shared by all
// shards.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/id.h"
#include "patterns/function/host_table.h"
#include "patterns/function/router.h"
#include "patterns/function/static_files.h"
#include "runtime/loader.h"
#include "turn/turn.h"

namespace carrel::function {

struct Function {
  std::shared_ptr<const runtime::Program> program;
  turn::ModuleSetup module;
};

struct Site {
  AppName app;
  std::vector<std::string> hosts;  // names it answers to, lower-case, without port; none: any
  Router router;
  std::vector<Function> functions;
  std::vector<std::shared_ptr<const StaticFiles>> statics;
};

// All sites of the server. A request belongs to the first of a folder that names its host, else to
// what was deployed under that name, else to the first without names.
struct Sites {
  std::vector<std::shared_ptr<const Site>> all;  // of folders
  HostTable deployed;

  // `id`: the request's number.
  const Site* find(const net::Request& request, std::uint64_t id) const;
};

}  // namespace carrel::function
