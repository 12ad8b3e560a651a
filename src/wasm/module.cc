#include "wasm/module.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

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

// Types are the guest's: an import may have a thousand operands, and no ABI has so many.
std::string list(const wasm_valtype_vec_t* types) {
  constexpr std::size_t kMaxListed = 32;
  std::string text;
  for (std::size_t i = 0; i < types->size && i < kMaxListed; ++i) {
    if (i > 0) text += ' ';
    text += value_type(wasm_valtype_kind(types->data[i]));
  }
  return types->size > kMaxListed ? text + " ..." : text;
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
  std::string text = "func (" + list(wasm_functype_params(func)) + ")";
  const wasm_valtype_vec_t* results = wasm_functype_results(func);
  if (results->size > 0) text += " -> " + list(results);
  return text;
}

// Each is freed as soon as it was seen: it grows when it is asked for its operands.
template <typename Use>
void each_export(const wasmtime_module* module, Use use) {
  wasm_exporttype_vec_t types{};
  wasmtime_module_exports(module, &types);
  for (std::size_t i = 0; i < types.size; ++i) {
    const Handle<wasm_exporttype_t, wasm_exporttype_delete> one(
        std::exchange(types.data[i], nullptr));
    use(one.get());
  }
  wasm_exporttype_vec_delete(&types);
}

struct NamedItem {
  std::string name, type;
};

// Lines "import NAME KIND" and "export NAME KIND"; names have no spaces.
std::vector<NamedItem> component_items(const carrel_component* component, std::string_view what) {
  carrel_buffer buffer{};
  carrel_component_names(component, &buffer);
  std::string_view text(reinterpret_cast<const char*>(buffer.data), buffer.size);
  std::vector<NamedItem> items;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(what)) continue;
    line.remove_prefix(std::min(line.size(), what.size() + 1));
    const auto space = line.rfind(' ');
    if (space == std::string_view::npos) continue;
    items.push_back({std::string(line.substr(0, space)), std::string(line.substr(space + 1))});
  }
  carrel_buffer_free(&buffer);
  return items;
}

// A number as the binary format has it, taken off `bytes`; 0 for what is none.
std::uint32_t take_number(std::span<const std::byte>& bytes) {
  std::uint32_t value = 0;
  for (unsigned shift = 0; shift < 35 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<std::uint32_t>(bytes.front());
    bytes = bytes.subspan(1);
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return value;
  }
  return 0;
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

namespace {

struct Section {
  std::byte id{};
  std::span<const std::byte> content;
};

// Takes the next one off what follows a binary's header. Of a size that is too large: what there
// is.
Section take_section(std::span<const std::byte>& left) {
  Section section{.id = left.front(), .content = {}};
  left = left.subspan(1);
  const std::uint32_t size = take_number(left);
  section.content = left.first(std::min<std::size_t>(size, left.size()));
  left = left.subspan(section.content.size());
  return section;
}

struct Bound {
  std::byte section;
  const char* name;
  std::size_t most;
};
constexpr Bound kBounds[] = {{std::byte{5}, "memories", kMaxMemories},
                             {std::byte{2}, "imports", kMaxImports},
                             {std::byte{7}, "exports", kMaxExports}};

Result<void> check_module(std::span<const std::byte> sections, std::span<const Bound> bounds) {
  while (!sections.empty()) {
    Section section = take_section(sections);
    const auto bound = std::ranges::find(bounds, section.id, &Bound::section);
    if (bound == bounds.end()) continue;
    const std::uint32_t count = take_number(section.content);
    if (count <= bound->most) continue;
    return fail(
        Code::invalid_module,
        fmt::format("the module has {} {} and may have {}", count, bound->name, bound->most),
        "link it with fewer of them");
  }
  return {};
}

}  // namespace

// A component's modules are not linked to the host, whatever they import.
Result<void> check_counts(std::span<const std::byte> wasm) {
  constexpr std::size_t kHeader = 8;
  constexpr std::byte kModuleSection{1}, kComponentSection{4};
  if (binary_kind(wasm) == Binary::core_module) return check_module(wasm.subspan(kHeader), kBounds);
  std::vector<std::span<const std::byte>> components = {wasm};
  while (!components.empty()) {
    std::span<const std::byte> left = components.back();
    components.pop_back();
    left = left.subspan(std::min(left.size(), kHeader));
    while (!left.empty()) {
      const Section section = take_section(left);
      if (section.id == kComponentSection) components.push_back(section.content);
      if (section.id != kModuleSection || section.content.size() < kHeader) continue;
      CARREL_TRY_VOID(
          check_module(section.content.subspan(kHeader), std::span(kBounds).first<1>()));
    }
  }
  return {};
}

Result<std::shared_ptr<const Module>> Module::map_code(std::shared_ptr<Engine> engine,
                                                       const std::filesystem::path& file) {
  wasmtime_module_t* raw = nullptr;
  if (ErrorHandle error(wasmtime_module_deserialize_file(engine->raw(), file.c_str(), &raw));
      error) {
    const auto& path = file.native();
    const auto load = [&](const wasm_engine_t* on, carrel_buffer* refusal) {
      return carrel_component_load_file(on, {path.data(), path.size()}, refusal);
    };
    return load_component(std::move(engine), load, message_of(error.get()));
  }
  return std::shared_ptr<const Module>(new Module(std::move(engine), raw));
}

// Code says itself what it is of and for which engine; the wrong kind is refused before anything is
// mapped.
template <typename Load>
Result<std::shared_ptr<const Module>> Module::load_component(std::shared_ptr<Engine> engine,
                                                             Load load, std::string as_module) {
  if (!as_module.contains("incompatible object file format"))
    return fail(Code::compile_failed, std::move(as_module));
  carrel_buffer refusal{};
  if (carrel_component* const component = load(engine->raw(), &refusal))
    return std::shared_ptr<const Module>(new Module(std::move(engine), component, false));
  std::string text = take_text(refusal);
  if (!text.contains("concurrency support")) return fail(Code::compile_failed, std::move(text));
  CARREL_TRY(const wasm_engine_t* const concurrent, engine->concurrent());
  if (carrel_component* const component = load(concurrent, &refusal))
    return std::shared_ptr<const Module>(new Module(std::move(engine), component, true));
  return fail(Code::compile_failed, take_text(refusal));
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
    const auto load = [&](const wasm_engine_t* on, carrel_buffer* refusal) {
      return carrel_component_load(on, bytes, code.size(), refusal);
    };
    return load_component(std::move(engine), load, message_of(error.get()));
  }
  return std::shared_ptr<const Module>(new Module(std::move(engine), raw));
}

Module::Module(std::shared_ptr<Engine> engine, carrel_component* component, bool concurrent)
    : engine_(std::move(engine)),
      component_(component),
      concurrent_(concurrent),
      slots_(carrel_component_slots(component)) {}

Module::Module(std::shared_ptr<Engine> engine, wasmtime_module* raw)
    : engine_(std::move(engine)), raw_(raw) {
  each_export(raw_, [this](const wasm_exporttype_t* one) {
    const wasm_externtype_t* type = wasm_exporttype_type(one);
    if (wasm_externtype_kind(type) != WASM_EXTERN_MEMORY) return;
    least_memory_ = wasmtime_memorytype_minimum(wasm_externtype_as_memorytype_const(type)) << 16;
  });
}

Module::~Module() {
  if (raw_ != nullptr) wasmtime_module_delete(raw_);
  if (component_ != nullptr) carrel_component_free(component_);
}

std::vector<ImportName> Module::imports() const {
  if (component_ != nullptr) {
    std::vector<ImportName> names;
    for (NamedItem& item : component_items(component_, "import")) {
      names.push_back({.module = {}, .name = std::move(item.name), .type = std::move(item.type)});
    }
    return names;
  }
  wasm_importtype_vec_t types{};
  wasmtime_module_imports(raw_, &types);
  std::vector<ImportName> names;
  names.reserve(types.size);
  for (std::size_t i = 0; i < types.size; ++i) {
    // As in `each_export`.
    const Handle<wasm_importtype_t, wasm_importtype_delete> one(
        std::exchange(types.data[i], nullptr));
    names.push_back({text_of(wasm_importtype_module(one.get())),
                     text_of(wasm_importtype_name(one.get())),
                     describe(wasm_importtype_type(one.get()))});
  }
  wasm_importtype_vec_delete(&types);
  return names;
}

std::vector<ExportName> Module::exports() const {
  std::vector<ExportName> names;
  if (component_ != nullptr) {
    for (NamedItem& item : component_items(component_, "export")) {
      names.push_back({.name = std::move(item.name), .type = std::move(item.type)});
    }
    return names;
  }
  each_export(raw_, [&](const wasm_exporttype_t* one) {
    names.push_back({text_of(wasm_exporttype_name(one)), describe(wasm_exporttype_type(one))});
  });
  return names;
}

std::string Module::wit() const {
  if (component_ == nullptr) return {};
  carrel_buffer buffer{};
  carrel_component_wit(component_, &buffer);
  return take_text(buffer);
}

std::size_t Module::code_bytes() const {
  if (component_ != nullptr) return carrel_component_code_bytes(component_);
  void* start = nullptr;
  void* end = nullptr;
  wasmtime_module_image_range(raw_, &start, &end);
  return static_cast<std::size_t>(static_cast<char*>(end) - static_cast<char*>(start));
}

}  // namespace carrel::wasm
