#include "cli/toolchains.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>

namespace carrel::cli {
namespace fs = std::filesystem;
namespace {

constexpr Toolchain kToolchains[] = {
    {.language = "c",
     .label = "C",
     .get =
         "apt install clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32, or set WASI_SDK_PATH to a WASI SDK"},
    {.language = "rust",
     .label = "Rust",
     .get = "install Rust with rustup, then: rustup target add wasm32-wasip1"},
    {.language = "go", .label = "Go", .get = "install Go 1.24 or newer from https://go.dev/dl"},
    {.language = "assemblyscript",
     .label = "AssemblyScript",
     .get = "install Node.js 20 or newer with npm; the first build fetches the compiler"},
    {.language = "javascript",
     .label = "JavaScript (a component)",
     .get = "install Node.js 20 or newer with npm; the first build fetches componentize-js"},
    {.language = "typescript",
     .label = "TypeScript (a component)",
     .get = "install Node.js 20 or newer with npm; the first build fetches what it needs"},
    {.language = "c-component",
     .label = "C (a component)",
     .get = "apt install clang-19 lld-19 wasi-libc libclang-rt-19-dev-wasm32, then: "
            "cargo install wit-bindgen-cli@0.63.0 wasm-component-ld@0.5.31"},
    {.language = "rust-component",
     .label = "Rust (a component)",
     .get = "install Rust with rustup, then: rustup target add wasm32-wasip2"},
    {.language = "python",
     .label = "Python (a component)",
     .get = "install Python 3.10 or newer with venv; the first build fetches componentize-py"},
    {.language = "zig",
     .label = "Zig",
     .get = "python3 -m venv ~/.venvs/zig && ~/.venvs/zig/bin/pip install ziglang==0.17.1, then "
            "export CARREL_ZIG=\"$HOME/.venvs/zig/bin/python -m ziglang\""},
};

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::optional<std::string> in_path(std::string_view tool) {
  const std::string path = variable("PATH").value_or("/usr/bin:/bin");
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find(':', at), path.size());
    const fs::path candidate = fs::path(path.substr(at, end - at)) / tool;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate.string();
    at = end + 1;
  }
  return std::nullopt;
}

// The first line that a fixed command prints; empty if it cannot be run.
std::string first_line_of(const char* command) {
  FILE* pipe = ::popen(command, "r");
  if (pipe == nullptr) return {};
  char line[512] = "";
  const bool read = std::fgets(line, sizeof line, pipe) != nullptr;
  ::pclose(pipe);
  std::string text = read ? line : "";
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Found found(std::string what) { return {.usable = true, .what = std::move(what)}; }
Found missing(std::string what) { return {.usable = false, .what = std::move(what)}; }

Found look_for_c() {
  if (auto compiler = variable("CARREL_WASM_CC")) return found(*compiler + " (CARREL_WASM_CC)");
  if (auto sdk = variable("WASI_SDK_PATH")) {
    if (::access((*sdk + "/bin/clang").c_str(), X_OK) == 0) return found(*sdk + "/bin/clang");
    return missing(fmt::format("WASI_SDK_PATH is {}, which has no bin/clang", *sdk));
  }
  auto compiler = in_path("clang-19");
  if (!compiler) compiler = in_path("clang");
  if (!compiler) return missing("no clang in PATH");
  if (!fs::exists("/usr/lib/wasm32-wasi/libc.a"))
    return missing("no C library for WASI (wasi-libc)");
  if (!in_path("wasm-ld-19") && !in_path("wasm-ld")) return missing("no wasm-ld in PATH (lld-19)");
  return found(*compiler);
}

bool is_program(const fs::path& file) { return ::access(file.c_str(), X_OK) == 0; }

// Where the templates' build scripts look for what makes components.
bool has_component_tool(std::string_view tool) {
  const auto tools = variable("CARREL_WIT_TOOLS"), sdk = variable("WASI_SDK_PATH");
  return (tools && is_program(fs::path(*tools) / tool)) ||
         (sdk && is_program(fs::path(*sdk) / "bin" / tool)) || in_path(tool).has_value();
}

Found look_for_c_component() {
  Found compiler = look_for_c();
  if (!compiler.usable) return compiler;
  for (const char* tool : {"wit-bindgen", "wasm-component-ld"}) {
    if (!has_component_tool(tool)) return missing(fmt::format("no {} in PATH", tool));
  }
  return compiler;
}

Found look_for_cargo(std::string_view target) {
  auto cargo = in_path("cargo");
  if (!cargo || !in_path("rustc")) return missing("no cargo in PATH");
  const std::string library = first_line_of(
      fmt::format("rustc --print target-libdir --target {} 2>/dev/null", target).c_str());
  if (library.empty() || !fs::exists(library))
    return missing(fmt::format("this Rust lacks the target {}", target));
  return found(*cargo);
}

Found look_for_rust() {
  if (auto cargo = variable("CARREL_WCARGO")) return found(*cargo + " (CARREL_WCARGO)");
  return look_for_cargo("wasm32-wasip1");
}

Found look_for_rust_component() {
  auto cargo = variable("CARREL_WCARGO");
  if (!cargo) return look_for_cargo("wasm32-wasip2");
  if (!has_component_tool("wasm-component-ld")) return missing("no wasm-component-ld in PATH");
  return found(*cargo + " (CARREL_WCARGO)");
}

Found look_for_tool(const char* override_name, const char* tool) {
  if (auto other = variable(override_name))
    return found(fmt::format("{} ({})", *other, override_name));
  if (auto path = in_path(tool)) return found(*path);
  return missing(fmt::format("no {} in PATH", tool));
}

Found look_for_npm(const char* override_name) {
  if (auto other = variable(override_name))
    return found(fmt::format("{} ({})", *other, override_name));
  auto node = in_path("node");
  if (!node || !in_path("npm")) return missing(!node ? "no node in PATH" : "no npm in PATH");
  return found(*node);
}

Found look_for_zig() {
  if (Found zig = look_for_tool("CARREL_ZIG", "zig"); zig.usable) return zig;
  if (!first_line_of("python3 -m ziglang version 2>/dev/null").empty())
    return found("python3 -m ziglang");
  return missing("no zig in PATH");
}

}  // namespace

std::span<const Toolchain> toolchains() { return kToolchains; }

Found look_for(const Toolchain& toolchain) {
  if (toolchain.language == "c") return look_for_c();
  if (toolchain.language == "rust") return look_for_rust();
  if (toolchain.language == "go") return look_for_tool("GO", "go");
  if (toolchain.language == "assemblyscript") return look_for_npm("CARREL_ASC");
  if (toolchain.language == "javascript" || toolchain.language == "typescript")
    return look_for_npm("CARREL_COMPONENTS_HOME");
  if (toolchain.language == "c-component") return look_for_c_component();
  if (toolchain.language == "rust-component") return look_for_rust_component();
  if (toolchain.language == "python") return look_for_tool("CARREL_COMPONENTIZE_PY", "python3");
  return look_for_zig();
}

}  // namespace carrel::cli
