#include "wasm/module.h"

#include <cstring>

#include "wasm/raw.h"

namespace carrel::wasm {
namespace {

std::string_view value_type(wasm_valkind_t kind) {
  switch (kind) {
    case WASM_I32:
      return "i32";
    case WASM_I64:
      return "i64";
    case WASM_F32:
      return "f32";
    case WASM_F64:
      return "f64";
    default:
      return "ref";
  }
}

std::string describe(const wasm_externtype_t* type) {
  switch (wasm_externtype_kind(type)) {
    case WASM_EXTERN_FUNC:
      break;
    case WASM_EXTERN_GLOBAL:
      return "global";
    case WASM_EXTERN_TABLE:
      return "table";
    case WASM_EXTERN_MEMORY:
      return "memory";
    default:
      return "other";
  }
  const wasm_functype_t* func = wasm_externtype_as_functype_const(type);
  const auto list = [](const wasm_valtype_vec_t* types) {
    std::string text;
    for (std::size_t i = 0; i < types->size; ++i) {
      if (i > 0) text += ' ';
      text += value_type(wasm_valtype_kind(types->data[i]));
    }
    return text;
  };
  std::string text = "func (" + list(wasm_functype_params(func)) + ")";
  const wasm_valtype_vec_t* results = wasm_functype_results(func);
  if (results->size > 0) text += " -> " + list(results);
  return text;
}

}  // namespace

Binary binary_kind(std::span<const std::byte> bytes) {
  static constexpr char kMagic[] = {0, 'a', 's', 'm'};
  if (bytes.size() >= 8 && std::memcmp(bytes.data(), kMagic, 4) == 0) {
    if (bytes[4] == std::byte{1} && bytes[6] == std::byte{0}) return Binary::core_module;
    if (bytes[6] == std::byte{1}) return Binary::component;
    return Binary::unknown;
  }
  std::string_view text(reinterpret_cast<const char*>(bytes.data()),
                        std::min<std::size_t>(bytes.size(), 4096));
  const auto start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return Binary::unknown;
  text.remove_prefix(start);
  return text.starts_with('(') || text.starts_with(";;") ? Binary::text : Binary::unknown;
}

Result<std::shared_ptr<const Module>> Module::map_code(std::shared_ptr<Engine> engine,
                                                       const std::filesystem::path& file) {
  wasmtime_module_t* raw = nullptr;
  if (ErrorHandle error(wasmtime_module_deserialize_file(engine->raw(), file.c_str(), &raw));
      error) {
    return fail(Code::compile_failed, message_of(error.get()));
  }
  return std::shared_ptr<const Module>(new Module(std::move(engine), raw));
}

Result<std::shared_ptr<const Module>> Module::compile(std::shared_ptr<Engine> engine,
                                                      std::span<const std::byte> wasm) {
  CARREL_TRY(auto code, engine->compile(wasm));
  return load_code(std::move(engine), code);
}

Result<std::shared_ptr<const Module>> Module::load_code(std::shared_ptr<Engine> engine,
                                                        std::span<const std::byte> code) {
  wasmtime_module_t* raw = nullptr;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(code.data());
  if (ErrorHandle error(wasmtime_module_deserialize(engine->raw(), bytes, code.size(), &raw));
      error) {
    return fail(Code::compile_failed, message_of(error.get()));
  }
  return std::shared_ptr<const Module>(new Module(std::move(engine), raw));
}

Module::~Module() { wasmtime_module_delete(raw_); }

std::vector<ImportName> Module::imports() const {
  wasm_importtype_vec_t types{};
  wasmtime_module_imports(raw_, &types);
  std::vector<ImportName> names;
  names.reserve(types.size);
  for (std::size_t i = 0; i < types.size; ++i) {
    const wasm_importtype_t* type = types.data[i];
    names.push_back({text_of(wasm_importtype_module(type)), text_of(wasm_importtype_name(type)),
                     describe(wasm_importtype_type(type))});
  }
  wasm_importtype_vec_delete(&types);
  return names;
}

std::vector<ExportName> Module::exports() const {
  wasm_exporttype_vec_t types{};
  wasmtime_module_exports(raw_, &types);
  std::vector<ExportName> names;
  names.reserve(types.size);
  for (std::size_t i = 0; i < types.size; ++i) {
    const wasm_exporttype_t* type = types.data[i];
    names.push_back({text_of(wasm_exporttype_name(type)), describe(wasm_exporttype_type(type))});
  }
  wasm_exporttype_vec_delete(&types);
  return names;
}

std::uint64_t Module::least_memory() const {
  wasm_exporttype_vec_t types{};
  wasmtime_module_exports(raw_, &types);
  std::uint64_t pages = 0;
  for (std::size_t i = 0; i < types.size; ++i) {
    const wasm_externtype_t* type = wasm_exporttype_type(types.data[i]);
    if (wasm_externtype_kind(type) == WASM_EXTERN_MEMORY) {
      pages = wasmtime_memorytype_minimum(wasm_externtype_as_memorytype_const(type));
    }
  }
  wasm_exporttype_vec_delete(&types);
  return pages << 16;
}

std::size_t Module::code_bytes() const {
  void* start = nullptr;
  void* end = nullptr;
  wasmtime_module_image_range(raw_, &start, &end);
  return static_cast<std::size_t>(static_cast<char*>(end) - static_cast<char*>(start));
}

}  // namespace carrel::wasm
