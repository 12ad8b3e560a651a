// carrel inspect: what a file is, which ABI it speaks, and why it can or cannot run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/units.h"
#include "base/digest.h"
#include "base/files.h"
#include "cli/command.h"
#include "cli/engine_room.h"
#include "cli/state_folder.h"
#include "cli/terminal.h"
#include "cli/wasm_summary.h"
#include "observe/json_line.h"
#include "runtime/loader.h"

namespace carrel::cli {
namespace {

constexpr std::uint64_t kMaxFile = 64ULL << 20;

struct Options {
  std::string file;
  std::string state;
  bool json = false;
  bool abis = false;
};

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

struct Report {
  std::string file;
  std::string digest;
  std::size_t size = 0;
  std::string_view kind;
  WasmSummary summary;
  std::string wit;  // of a component: its world
  const abi::Abi* abi = nullptr;
  std::optional<Error> obstacle;  // nothing: it can run
};

std::string_view kind_name(wasm::Binary kind) {
  switch (kind) {
    case wasm::Binary::core_module:
      return "core module";
    case wasm::Binary::component:
      return "component";
    case wasm::Binary::text:
      return "WebAssembly text";
    case wasm::Binary::unknown:
      return "not WebAssembly";
  }
  return "";
}

bool offered_by_some_abi(const WasmImport& item) {
  for (const abi::Abi* abi : runtime::known_abis()) {
    for (const wasm::HostFunction& function : abi->imports()) {
      if (function.module == item.module && function.name == item.name) return true;
    }
  }
  return false;
}

// Compiles it, finds its ABI and resolves its imports, as serving it would.
Result<void> try_module(const Options& options, const std::string& bytes, Report& report) {
  CARREL_TRY(const EngineRoom room, open_engine_room(options.state, shell_settings()));
  auto module = room.cache->find(report.digest);
  if (!module) {
    CARREL_TRY(module, room.cache->compile(report.digest, bytes_of(bytes)));
  }
  report.wit = module->wit();
  const abi::Shape shape{module->imports(), module->exports()};
  for (const abi::Abi* abi : runtime::known_abis()) {
    if (!abi->speaks(shape)) continue;
    report.abi = abi;
    CARREL_TRY(const auto linker, abi->make_linker(room.engine));
    CARREL_TRY_VOID(linker->prepare(std::move(module)));
    return {};
  }
  return fail(Code::unknown_abi, "it exports nothing that an ABI of this build starts",
              "carrel inspect --abis lists them; a WASI command exports \"_start\"");
}

WasmSummary summarise(std::span<const std::byte> binary) {
  return wasm::binary_kind(binary) == wasm::Binary::component ? summarise_component(binary)
                                                              : summarise_module(binary);
}

void look_inside(const Options& options, const std::string& bytes, wasm::Binary kind,
                 Report& report) {
  if (kind == wasm::Binary::unknown) {
    report.obstacle.emplace(Code::invalid_module, "it is neither a WebAssembly binary nor its text",
                            "a binary starts with the bytes 00 61 73 6d, a text with \"(module\"");
    return;
  }
  if (kind == wasm::Binary::text) {
    auto binary = wasm::wat_to_wasm(bytes);
    if (!binary) {
      report.obstacle = std::move(binary).error();
      return;
    }
    report.summary = summarise(*binary);
  } else {
    report.summary = summarise(bytes_of(bytes));
  }
  if (auto tried = try_module(options, bytes, report); !tried)
    report.obstacle = std::move(tried).error();
}

std::string pages(const WasmMemory& memory) {
  const auto bytes = [](std::uint64_t count) {
    return count > (1ULL << 40) / 65536 ? fmt::format("{} pages", count)
                                        : app::size_text(count * 65536);
  };
  if (!memory.most) return fmt::format("{} at the start, no bound of its own", bytes(memory.least));
  return fmt::format("{} at the start, {} at most", bytes(memory.least), bytes(*memory.most));
}

class Lines {
 public:
  // The label stands before the first of its lines only.
  void add(std::string_view label, std::string_view text) {
    text_ += fmt::format("  {:<11}{}\n", label == last_ ? "" : label, text);
    last_ = label;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::string last_;
};

// Comments among them are the guest's own.
std::string printable_lines(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    lines += observe::printable(line) + "\n";
  }
  return lines;
}

std::string as_text(const Report& report) {
  Lines lines;
  if (report.abi != nullptr)
    lines.add("ABI", fmt::format("{}: {}", report.abi->name(), report.abi->description()));
  if (report.obstacle) {
    lines.add("can run", fmt::format("no: {}", observe::printable(report.obstacle->message())));
    if (!report.obstacle->help().empty()) lines.add("help", report.obstacle->help());
  } else {
    lines.add("can run", "yes");
  }
  const WasmSummary& summary = report.summary;
  if (summary.damage) lines.add("damaged", *summary.damage);
  for (const WasmMemory& memory : summary.memories) lines.add("memory", pages(memory));
  if (summary.functions > 0) {
    lines.add("functions",
              fmt::format("{} ({} of code, {} of data)", summary.functions,
                          app::size_text(summary.code_bytes), app::size_text(summary.data_bytes)));
  }
  if (summary.has_start) lines.add("start", "runs a start function when it is instantiated");
  for (const WasmImport& item : summary.imports) {
    lines.add("imports",
              fmt::format("{}.{}  {}{}", item.module, item.name, item.type,
                          offered_by_some_abi(item) ? "" : "  (unknown: no ABI provides it)"));
  }
  for (const WasmExport& item : summary.exports)
    lines.add("exports", fmt::format("{}  {}", item.name, item.type));
  for (const WasmCustom& custom : summary.customs) {
    lines.add("custom", fmt::format("{}  {}", custom.name, app::size_text(custom.bytes)));
  }
  std::string text = fmt::format("{}: {}, {} bytes\n  sha256     {}\n{}", report.file, report.kind,
                                 report.size, report.digest, lines.take());
  if (!report.wit.empty()) text += "\n" + printable_lines(report.wit);
  return text;
}

std::string as_json(const Report& report) {
  nlohmann::ordered_json json;
  json["file"] = report.file;
  json["kind"] = report.kind;
  json["bytes"] = report.size;
  json["sha256"] = report.digest;
  json["abi"] =
      report.abi != nullptr ? nlohmann::ordered_json(report.abi->name()) : nlohmann::ordered_json();
  json["runnable"] = !report.obstacle;
  if (report.obstacle) {
    json["code"] = code_name(report.obstacle->code());
    json["reason"] = report.obstacle->message();
    json["help"] = report.obstacle->help();
  }
  const WasmSummary& summary = report.summary;
  if (summary.damage) json["damage"] = *summary.damage;
  if (!report.wit.empty()) json["wit"] = report.wit;
  json["functions"] = summary.functions;
  json["code_bytes"] = summary.code_bytes;
  json["data_bytes"] = summary.data_bytes;
  json["start"] = summary.has_start;
  json["memories"] = nlohmann::ordered_json::array();
  for (const WasmMemory& memory : summary.memories) {
    nlohmann::ordered_json item{{"least_pages", memory.least}};
    if (memory.most) item["most_pages"] = *memory.most;
    json["memories"].push_back(std::move(item));
  }
  json["imports"] = nlohmann::ordered_json::array();
  for (const WasmImport& item : summary.imports) {
    json["imports"].push_back({{"module", item.module},
                               {"name", item.name},
                               {"type", item.type},
                               {"known", offered_by_some_abi(item)}});
  }
  json["exports"] = nlohmann::ordered_json::array();
  for (const WasmExport& item : summary.exports)
    json["exports"].push_back({{"name", item.name}, {"type", item.type}});
  json["custom"] = nlohmann::ordered_json::array();
  for (const WasmCustom& custom : summary.customs) {
    json["custom"].push_back({{"name", custom.name}, {"bytes", custom.bytes}});
  }
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

int list_abis() {
  for (const abi::Abi* abi : runtime::known_abis()) {
    print(fmt::format("{:<12}{}\n", abi->name(), abi->description()));
  }
  return kOk;
}

int inspect(const Options& options) {
  if (options.abis) return list_abis();
  if (options.file.empty())
    return report_usage("inspect", "a FILE is needed", "carrel help inspect");
  auto bytes = read_file(options.file, kMaxFile);
  if (!bytes)
    return report(std::move(bytes).error().within(fmt::format("cannot inspect {}", options.file)));
  const wasm::Binary kind = wasm::binary_kind(bytes_of(*bytes));
  Report report{.file = options.file,
                .digest = sha256_hex(*bytes),
                .size = bytes->size(),
                .kind = kind_name(kind)};
  look_inside(options, *bytes, kind, report);
  print(options.json ? as_json(report) : as_text(report));
  return report.obstacle ? kFailure : kOk;
}

Run add(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("FILE", options->file);
  app.add_flag("--json", options->json, "As JSON");
  app.add_flag("--abis", options->abis, "List the ABIs that this build speaks");
  add_state_option(app, options->state);
  return [options] { return inspect(*options); };
}

}  // namespace

extern const Command kInspect;
const Command kInspect{
    .name = "inspect",
    .group = Group::look,
    .summary = "Say what a module is, and why it can or cannot run",
    .usage = "[--json] FILE",
    .details =
        "FILE may be anything: a module, a component, text, or something else altogether.\n"
        "The exit status is 0 if it can run and 1 if it cannot.",
    .examples =
        "carrel inspect hello.wasm\n"
        "carrel inspect --json hello.wasm | jq .imports\n"
        "carrel inspect --abis\n",
    .add = add,
};

}  // namespace carrel::cli
