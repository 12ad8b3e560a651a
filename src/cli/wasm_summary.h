// What a WebAssembly file holds, read from its sections without compiling it.
//
// Made for files that nobody trusts: every length is checked, lists are bounded, names are made
// printable.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace carrel::cli {

struct WasmMemory {
  std::uint64_t least = 0;  // pages of 64 KiB
  std::optional<std::uint64_t> most;
};

struct WasmImport {
  std::string module, name, type;
};

struct WasmExport {
  std::string name, type;
};

struct WasmCustom {
  std::string name;
  std::uint64_t bytes = 0;
};

struct WasmSummary {
  std::vector<WasmImport> imports;
  std::vector<WasmExport> exports;
  std::vector<WasmMemory> memories;  // defined, not imported
  std::vector<WasmCustom> customs;
  std::uint64_t functions = 0;  // defined
  std::uint64_t code_bytes = 0;
  std::uint64_t data_bytes = 0;
  bool has_start = false;
  // Where and why reading ended early; what was read before is kept.
  std::optional<std::string> damage;
};

// Of a core module's binary.
WasmSummary summarise_module(std::span<const std::byte> bytes);

// Of a component: its custom sections, and how many sections it has.
WasmSummary summarise_component(std::span<const std::byte> bytes);

}  // namespace carrel::cli
