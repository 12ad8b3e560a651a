// Compiling untrusted modules: in a child process that can reach nothing and is killed at its
// limits.
//
// The bytes of a module are parsed and compiled by the same program run again as `compile-module`
// (compile_child.h): no files, no network, no environment, bounded memory and CPU time, low
// priority. What a hostile module can do to its compiler ends there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/interrupt.h"
#include "wasm/engine.h"

namespace carrel::wasm {

struct CompileOptions {
  std::uint64_t max_module = 64ULL << 20;  // bytes of the module
  std::uint64_t max_code = 256ULL << 20;   // bytes of compiled code, which the parent holds twice
  std::uint64_t memory = 4ULL << 30;       // address space of the child
  std::chrono::seconds cpu = std::chrono::seconds(120);
  Nanos deadline = std::chrono::seconds(180);        // wall time: the child yields to all others
  std::filesystem::path program = "/proc/self/exe";  // what handles `command` by compile_child_main
  std::string command = "compile-module";
  const Interrupt* interrupt = nullptr;  // told: what is compiled is given up
};

// Says whether the first bytes are those of a module that this build can compile, binary or text.
// Errors: invalid_module that says what they are instead.
Result<void> check_is_module(std::span<const std::byte> bytes);

// Compiles a module, binary or text, to code that `engine` can load. Blocks; thread-safe.
// Errors: module_too_large; invalid_module with the validator's text; compile_failed with the limit
// that was reached, or how the child ended; shutting_down after an interrupt.
Result<std::vector<std::byte>> compile_in_child(const Engine& engine,
                                                std::span<const std::byte> bytes,
                                                const CompileOptions& options);

}  // namespace carrel::wasm
