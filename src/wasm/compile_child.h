// The compiling child: what `carrel compile-module`, a hidden command, does.
#pragma once

#include <cstdint>

#include "wasm/engine.h"

namespace carrel::wasm {

// What the parent writes before the module's bytes. Both sides are the same program.
struct CompileRequest {
  EngineSettings settings;
  std::uint64_t compatibility = 0;  // of the parent's engine
  std::uint64_t memory = 0;         // limits of the child
  std::uint64_t cpu_seconds = 0;
  std::uint64_t max_code = 0;
  std::uint64_t module_size = 0;
};

// How the child ends.
enum class CompileExit : int {
  compiled = 0,        // the code is in file 1
  invalid_module = 3,  // the validator's text is in file 1
  unfit = 4,           // it cannot do its work: the reason is in file 1
};

// File 0: a request and the module; file 1: the result. Gives up every right before it reads the
// module.
int compile_child_main(int argc, char** argv);

// Leaves this process what compiling needs: no files, no network, no other programs, no executable
// memory. False: the kernel refuses.
bool drop_compiler_rights();

}  // namespace carrel::wasm
