#include "cli/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>

#include "base/utf8.h"
#include "observe/json_line.h"

namespace carrel::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kInline = 2048;

// JSON's escapes are TOML's as well.
std::string toml_text(std::string_view text) {
  std::string out;
  observe::append_json_string(out, text);
  return out;
}

bool fits_inline(std::string_view text) {
  return text.size() <= kInline && std::ranges::all_of(text, [](char c) {
           return c == '\n' || c == '\t' ||
                  (static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f);
         });
}

std::string table_of(const app::Pairs& pairs) {
  std::string text = "{";
  for (const auto& [name, value] : pairs)
    text +=
        fmt::format("{} {} = {}", text.size() > 1 ? "," : "", toml_text(name), toml_text(value));
  return text + " }";
}

Result<void> write(const fs::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file) return fail(Code::io, fmt::format("cannot write {}", path.string()));
  return {};
}

// "KEY = ..." or, for what does not fit a manifest, a file beside it and "KEY_file = ...".
Result<std::string> body_line(const fs::path& folder, std::string_view key, std::string_view file,
                              std::string_view body) {
  if (fits_inline(body)) return fmt::format("{} = {}\n", key, toml_text(body));
  CARREL_TRY_VOID(write(folder / file, body));
  return fmt::format("body_file = {}\n", toml_text(file));
}

Result<std::string> event_text(const fs::path& folder, const app::CaseEvent& event) {
  std::string text = "[event]\n";
  if (event.kind == app::CaseEvent::Kind::http) {
    text += fmt::format("method = {}\npath = {}\n", toml_text(event.method), toml_text(event.path));
    if (!event.headers.empty()) text += fmt::format("headers = {}\n", table_of(event.headers));
  } else {
    text += fmt::format("type = {}\n", toml_text(event.type));
    if (!event.source.empty()) text += fmt::format("source = {}\n", toml_text(event.source));
    if (!event.subject.empty()) text += fmt::format("subject = {}\n", toml_text(event.subject));
    if (!event.id.empty()) text += fmt::format("id = {}\n", toml_text(event.id));
    if (!event.attributes.empty())
      text += fmt::format("attributes = {}\n", table_of(event.attributes));
  }
  if (event.time) text += fmt::format("time = {}\n", toml_text(app::time_text(*event.time)));
  if (event.body) {
    CARREL_TRY(const std::string line, body_line(folder, "body", "event-body", *event.body));
    text += line;
  }
  return text;
}

Result<std::string> expectation_text(const fs::path& folder, const app::CaseEvent& event,
                                     const TurnResult& result) {
  std::string text = "[expect]\n";
  if (event.kind == app::CaseEvent::Kind::http) {
    text += fmt::format("status = {}\n", result.head.status);
    app::Pairs kept;
    for (const auto& [name, value] : result.head.headers) {
      if (net::same_name(name, "content-type") || net::same_name(name, "location"))
        kept.emplace_back(name, value);
    }
    if (!kept.empty()) text += fmt::format("headers = {}\n", table_of(kept));
    if (result.error) return text;  // the problem's id differs each time
    CARREL_TRY(const std::string line, body_line(folder, "body", "expected-body", result.body));
    return text + line;
  }
  const std::uint32_t code =
      result.guest.end == wasm::Outcome::End::exited ? result.guest.exit_code : 0;
  text += fmt::format("exit = {}\n", code);
  if (fits_inline(result.body)) text += fmt::format("stdout = {}\n", toml_text(result.body));
  return text;
}

// A name that no text can hold is left out: what is not named is not checked.
Result<std::string> values_text(const fs::path& folder, std::string_view kind,
                                const std::vector<app::StateValue>& values) {
  std::string text;
  for (const app::StateValue& value : values) {
    if (!fits_inline(app::text_of(value.name))) continue;
    if (text.empty()) text = fmt::format("\n[effects.{}]\n", kind);
    text += toml_text(app::text_of(value.name)) + " = ";
    if (fits_inline(value.bytes)) {
      text += toml_text(value.bytes) + "\n";
      continue;
    }
    const std::string file =
        fmt::format("expected-{}-{}", kind, std::ranges::count(text, '\n') - 1);
    CARREL_TRY_VOID(write(folder / file, value.bytes));
    text += fmt::format("{{ file = {} }}\n", toml_text(file));
  }
  return text;
}

// What was stored.
Result<std::string> effects_text(const fs::path& folder, const app::CaseEffects& effects) {
  CARREL_TRY(const std::string values, values_text(folder, "kv", effects.values));
  CARREL_TRY(const std::string blobs, values_text(folder, "blobs", effects.blobs));
  std::string counters;
  for (const app::StateCount& counter : effects.counters) {
    if (!fits_inline(app::text_of(counter.name))) continue;
    counters += counters.empty() ? "\n[effects.counters]\n" : "";
    counters += fmt::format("{} = {}\n", toml_text(app::text_of(counter.name)), counter.count);
  }
  return values + blobs + counters;
}

// A call with bytes that a case cannot hold is named, and left to the reader.
std::string calls_text(const std::vector<app::CaseCall>& calls) {
  std::string text;
  for (const app::CaseCall& call : calls) {
    const std::string_view error = call.error ? app::failure_name(*call.error) : "";
    if (!is_utf8(call.reply_body) || !is_utf8(call.body.value_or("")) ||
        (call.error && error.empty())) {
      text += fmt::format("\n# Not recorded, for no case can hold it: {} {}\n", call.method,
                          call.url.text());
      continue;
    }
    text += fmt::format("\n[[http]]\nmethod = {}\nurl = {}\n", toml_text(call.method),
                        toml_text(call.url.text()));
    if (call.body) text += fmt::format("body = {}\n", toml_text(*call.body));
    if (call.error) {
      text += fmt::format("error = {}\n", toml_text(error));
      continue;
    }
    text += fmt::format("reply = {{ status = {}", call.reply.status);
    if (!call.reply.headers.empty()) text += ", headers = " + table_of(call.reply.headers);
    text += fmt::format(", body = {} }}\n", toml_text(call.reply_body));
  }
  return text;
}

}  // namespace

Result<void> record_case(const fs::path& folder, const std::string& module_name,
                         const fs::path* module_file, const app::CaseEvent& event,
                         const TurnResult& result) {
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    return fail(Code::already_exists,
                fmt::format("{} is there already and not empty", folder.string()),
                "record into a new folder");
  }
  fs::create_directories(folder, error);
  if (error)
    return fail(Code::io, fmt::format("cannot make {}: {}", folder.string(), error.message()));
  std::string module = module_name;
  if (module_file != nullptr) {
    module = module_file->filename().string();
    if (!fs::copy_file(*module_file, folder / module, error)) {
      return fail(Code::io,
                  fmt::format("cannot copy {}: {}", module_file->string(), error.message()));
    }
  }
  CARREL_TRY(const std::string event_part, event_text(folder, event));
  CARREL_TRY(const std::string expectation_part, expectation_text(folder, event, result));
  CARREL_TRY(const std::string effects_part, effects_text(folder, result.left));
  return write(
      folder / "case.toml",
      fmt::format("[case]\ndescription = \"Recorded by carrel invoke\"\nmodule = {}\n\n{}{}\n{}{}",
                  toml_text(module), event_part, calls_text(result.calls), expectation_part,
                  effects_part));
}

}  // namespace carrel::cli
