#include "cli/wasm_summary.h"

#include <fmt/format.h>

#include "observe/json_line.h"

namespace carrel::cli {
namespace {

constexpr std::size_t kMaxListed = 10'000;  // of each kind
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxTypes = 100'000;
constexpr std::size_t kMaxFunctions = 2'000'000;  // engines take a million

// Reads from a span; after the first fault everything reads as zero and `fault` says where.
class Reader {
 public:
  Reader(std::span<const std::byte> bytes, std::size_t base) : bytes_(bytes), base_(base) {}

  bool done() const { return fault_ || at_ == bytes_.size(); }
  const std::optional<std::string>& fault() const { return fault_; }
  std::size_t offset() const { return base_ + at_; }
  std::size_t left() const { return bytes_.size() - at_; }

  std::uint8_t byte() {
    if (fault_ || at_ == bytes_.size()) return fail("it ends too early");
    return static_cast<std::uint8_t>(bytes_[at_++]);
  }

  std::uint64_t number(unsigned bits = 32) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < bits; shift += 7) {
      const std::uint8_t part = byte();
      value |= static_cast<std::uint64_t>(part & 0x7f) << shift;
      if ((part & 0x80) == 0) return value;
    }
    return fail("a number is too long");
  }

  // The bytes of the next `size`, as a reader of their own.
  Reader part(std::uint64_t size) {
    if (fault_ || size > left()) {
      fail("a length leads outside");
      return Reader({}, offset());
    }
    Reader inner(bytes_.subspan(at_, static_cast<std::size_t>(size)), offset());
    at_ += static_cast<std::size_t>(size);
    return inner;
  }

  std::string name() {
    const std::uint64_t size = number();
    Reader inner = part(size);
    const std::string_view text(reinterpret_cast<const char*>(inner.bytes_.data()),
                                inner.bytes_.size());
    return observe::printable(observe::shorten(text, kMaxName));
  }

  std::uint8_t fail(std::string_view why) {
    if (!fault_) fault_ = fmt::format("at byte {}: {}", offset(), why);
    at_ = bytes_.size();
    return 0;
  }

 private:
  std::span<const std::byte> bytes_;
  std::size_t base_;
  std::size_t at_ = 0;
  std::optional<std::string> fault_;
};

std::string_view type_name(std::uint8_t code) {
  switch (code) {
    case 0x7f:
      return "i32";
    case 0x7e:
      return "i64";
    case 0x7d:
      return "f32";
    case 0x7c:
      return "f64";
    case 0x7b:
      return "v128";
    case 0x70:
      return "funcref";
    case 0x6f:
      return "externref";
    default:
      return "?";
  }
}

std::string type_list(Reader& reader) {
  const std::uint64_t count = reader.number();
  std::string text;
  for (std::uint64_t i = 0; i < count && !reader.done(); ++i) {
    const std::uint8_t code = reader.byte();
    if (i < 32) text += fmt::format("{}{}", text.empty() ? "" : " ", type_name(code));
    if (i == 32) text += " ...";
  }
  return text;
}

class ModuleReader {
 public:
  explicit ModuleReader(WasmSummary& summary) : summary_(summary) {}

  void section(std::uint8_t id, Reader& reader) {
    switch (id) {
      case 0:
        custom(reader);
        break;
      case 1:
        types(reader);
        break;
      case 2:
        imports(reader);
        break;
      case 3:
        functions(reader);
        break;
      case 5:
        memories(reader);
        break;
      case 7:
        exports(reader);
        break;
      case 8:
        summary_.has_start = true;
        break;
      case 10:
        summary_.code_bytes = reader.left();
        break;
      case 11:
        summary_.data_bytes = reader.left();
        break;
      default:
        break;
    }
    if (reader.fault()) summary_.damage = reader.fault();
  }

  void custom(Reader& reader) {
    const std::uint64_t bytes = reader.left();
    std::string name = reader.name();
    if (summary_.customs.size() < kMaxListed) summary_.customs.push_back({std::move(name), bytes});
  }

 private:
  void types(Reader& reader) {
    for (std::uint64_t left = reader.number(); left > 0 && !reader.done(); --left) {
      if (reader.byte() != 0x60) return;  // a proposal's type: the rest cannot be told apart here
      const std::string parameters = type_list(reader);
      const std::string results = type_list(reader);
      if (types_.size() >= kMaxTypes) continue;
      types_.push_back(
          fmt::format("func ({}){}{}", parameters, results.empty() ? "" : " -> ", results));
    }
  }

  std::string function_type(std::uint64_t index) const {
    return index < types_.size() ? types_[index] : std::string("func");
  }

  std::uint32_t add_function(std::uint64_t type) {
    const auto index = static_cast<std::uint32_t>(type);
    if (functions_.size() < kMaxFunctions) functions_.push_back(index);
    return index;
  }

  WasmMemory memory_type(Reader& reader) {
    const std::uint8_t flags = reader.byte();
    const unsigned bits = (flags & 4) != 0 ? 64 : 32;
    WasmMemory memory;
    memory.least = reader.number(bits);
    if ((flags & 1) != 0) memory.most = reader.number(bits);
    return memory;
  }

  void imports(Reader& reader) {
    for (std::uint64_t left = reader.number(); left > 0 && !reader.done(); --left) {
      WasmImport item;
      item.module = reader.name();
      item.name = reader.name();
      switch (const std::uint8_t kind = reader.byte()) {
        case 0:
          item.type = function_type(add_function(reader.number()));
          break;
        case 1:
          item.type = "table";
          reader.byte();
          memory_type(reader);
          break;
        case 2:
          item.type = "memory";
          memory_type(reader);
          break;
        case 3:
          item.type = fmt::format("global {}", type_name(reader.byte()));
          reader.byte();
          break;
        case 4:
          item.type = "tag";
          reader.byte();
          reader.number();
          break;
        default:
          reader.fail(fmt::format("an import of unknown kind {}", kind));
          return;
      }
      if (summary_.imports.size() < kMaxListed) summary_.imports.push_back(std::move(item));
    }
  }

  void functions(Reader& reader) {
    summary_.functions = reader.number();
    for (std::uint64_t left = summary_.functions; left > 0 && !reader.done(); --left) {
      add_function(reader.number());
    }
  }

  void memories(Reader& reader) {
    for (std::uint64_t left = reader.number(); left > 0 && !reader.done(); --left) {
      const WasmMemory memory = memory_type(reader);
      if (summary_.memories.size() < kMaxListed) summary_.memories.push_back(memory);
    }
  }

  void exports(Reader& reader) {
    for (std::uint64_t left = reader.number(); left > 0 && !reader.done(); --left) {
      WasmExport item;
      item.name = reader.name();
      const std::uint8_t kind = reader.byte();
      const std::uint64_t index = reader.number();
      constexpr std::string_view kKinds[] = {"func", "table", "memory", "global", "tag"};
      if (kind >= std::size(kKinds)) {
        reader.fail(fmt::format("an export of unknown kind {}", kind));
        return;
      }
      item.type = kind == 0 && index < functions_.size() ? function_type(functions_[index])
                                                         : std::string(kKinds[kind]);
      if (summary_.exports.size() < kMaxListed) summary_.exports.push_back(std::move(item));
    }
  }

  WasmSummary& summary_;
  std::vector<std::string> types_;
  std::vector<std::uint32_t> functions_;  // indices of their types; imported ones first
};

constexpr std::size_t kHeader = 8;

template <typename EachSection>
void read_sections(std::span<const std::byte> bytes, WasmSummary& summary,
                   const EachSection& each) {
  if (bytes.size() < kHeader) {
    summary.damage = fmt::format("at byte {}: it ends in its header", bytes.size());
    return;
  }
  Reader reader(bytes.subspan(kHeader), kHeader);
  while (!reader.done() && !summary.damage) {
    const std::uint8_t id = reader.byte();
    const std::uint64_t size = reader.number();
    Reader section = reader.part(size);
    if (!reader.fault()) each(id, section);
  }
  if (reader.fault()) summary.damage = reader.fault();
}

}  // namespace

WasmSummary summarise_module(std::span<const std::byte> bytes) {
  WasmSummary summary;
  ModuleReader module(summary);
  read_sections(bytes, summary,
                [&module](std::uint8_t id, Reader& section) { module.section(id, section); });
  return summary;
}

WasmSummary summarise_component(std::span<const std::byte> bytes) {
  WasmSummary summary;
  ModuleReader module(summary);
  read_sections(bytes, summary, [&module](std::uint8_t id, Reader& section) {
    if (id == 0) module.custom(section);
  });
  return summary;
}

}  // namespace carrel::cli
