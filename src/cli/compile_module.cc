// carrel compile-module: what the code cache starts to compile an untrusted module; not for people.
#include <CLI/CLI.hpp>

#include "cli/command.h"
#include "wasm/compile_child.h"

namespace carrel::cli {
namespace {

Run add(CLI::App& app) {
  app.allow_extras();
  return [] { return wasm::compile_child_main(0, nullptr); };
}

}  // namespace

extern const Command kCompileModule;
const Command kCompileModule{
    .name = "compile-module",
    .group = Group::hidden,
    .summary = "Compile a module, in a process of its own",
    .usage = "",
    .details = "",
    .examples = "",
    .add = add,
};

}  // namespace carrel::cli
