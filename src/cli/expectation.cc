#include "cli/expectation.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/problems.h"
#include "observe/json_line.h"

namespace carrel::cli {
namespace {

constexpr std::size_t kShownLines = 6;
constexpr std::size_t kShownBytes = 400;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    lines.push_back(text.substr(0, end == std::string_view::npos ? end : end + 1));
    text.remove_prefix(lines.back().size());
  }
  return lines;
}

// A guest's text on our terminal: cut and printable; a line feed at its end is shown as one.
std::string shown(std::string_view text) {
  std::string out = observe::printable(observe::shorten(text, kShownBytes));
  if (text.size() > kShownBytes) out += fmt::format("... ({} bytes)", text.size());
  return out;
}

void add_side(std::string& text, char sign, const std::vector<std::string_view>& lines,
              std::size_t from) {
  for (std::size_t i = from; i < lines.size() && i < from + kShownLines; ++i) {
    std::string_view line = lines[i];
    const bool whole = line.ends_with('\n');
    if (whole) line.remove_suffix(1);
    text += fmt::format("{}{} {}{}", text.empty() ? "" : "\n", sign, shown(line),
                        whole ? "" : "  (no line feed)");
  }
  if (lines.size() > from + kShownLines) {
    text += fmt::format("\n{} ... {} more lines", sign, lines.size() - from - kShownLines);
  }
  if (from >= lines.size()) text += fmt::format("{}{} (nothing)", text.empty() ? "" : "\n", sign);
}

const std::string* header_of(const net::ReplyHead& head, std::string_view name) {
  for (const auto& [found, value] : head.headers) {
    if (net::same_name(found, name)) return &value;
  }
  return nullptr;
}

std::optional<std::string> json_difference(const std::string& expected, const std::string& found) {
  using nlohmann::json;
  const json wanted = json::parse(expected, nullptr, false);
  if (wanted.is_discarded()) return "body_json of the case is not JSON";
  const json got = json::parse(found, nullptr, false);
  if (got.is_discarded()) return fmt::format("the body is not JSON:\n+ {}", shown(found));
  if (wanted == got) return std::nullopt;
  const auto text = [](const json& value) {
    return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
  };
  return fmt::format("the body, as JSON, differs:\n{}", line_difference(text(wanted), text(got)));
}

class Differences {
 public:
  void add(std::string text) { all_.push_back(std::move(text)); }
  void same_text(std::string_view what, const std::optional<std::string>& expected,
                 const std::string& found) {
    if (!expected || *expected == found) return;
    add(fmt::format("{} differs from line {}:\n{}", what, first_line(*expected, found),
                    line_difference(*expected, found)));
  }
  void contains(std::string_view what, const std::vector<std::string>& expected,
                const std::string& found) {
    for (const std::string& part : expected) {
      if (found.find(part) != std::string::npos) continue;
      add(fmt::format("{} does not contain:\n- {}\n+ {}", what, shown(part), shown(found)));
    }
  }
  std::vector<std::string> take() { return std::move(all_); }

 private:
  static std::size_t first_line(std::string_view a, std::string_view b) {
    std::size_t line = 1;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()) && a[i] == b[i]; ++i)
      line += a[i] == '\n';
    return line;
  }
  std::vector<std::string> all_;
};

void check_exit(int expected, const TurnResult& result, Differences& differences) {
  using End = wasm::Outcome::End;
  const bool ended = result.guest.end == End::exited || result.guest.end == End::returned;
  const std::uint32_t code = result.guest.end == End::exited ? result.guest.exit_code : 0;
  if (ended && code == static_cast<std::uint32_t>(expected)) return;
  differences.add(ended ? fmt::format("exit status:\n- {}\n+ {}", expected, code)
                        : fmt::format("exit status:\n- {}\n+ (it did not exit: {})", expected,
                                      result.error ? result.error->message() : "unknown"));
}

std::string time_of(const std::optional<WallTime>& expires) {
  return expires ? "expires " + app::time_text(*expires) : "never expires";
}

// What is there instead of a key: perhaps one that was meant.
std::string missing(const app::StateName& name, const FoundState& found) {
  std::vector<std::string> names;
  for (const app::StateName& other : found.others) {
    if (other.store == name.store) names.push_back(app::text_of(other));
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string_view near = app::nearest(app::text_of(name), views);
  return near.empty() ? "(not there)" : fmt::format("(not there; {} is)", shown(near));
}

void check_absent(std::string_view kind, const std::vector<app::StateName>& expected,
                  const std::vector<app::StateValue>& found, Differences& differences) {
  for (const app::StateName& name : expected) {
    const auto got = std::ranges::find(found, name, &app::StateValue::name);
    if (got == found.end()) continue;
    differences.add(fmt::format("{} {}:\n- (not there)\n+ {}", kind, shown(app::text_of(name)),
                                shown(got->bytes)));
  }
}

}  // namespace

std::string line_difference(std::string_view expected, std::string_view found) {
  if (expected == found) return {};
  const auto wanted = lines_of(expected);
  const auto got = lines_of(found);
  std::size_t same = 0;
  while (same < wanted.size() && same < got.size() && wanted[same] == got[same]) ++same;
  std::string text;
  add_side(text, '-', wanted, same);
  add_side(text, '+', got, same);
  return text;
}

std::vector<std::string> differences(const app::CaseExpectation& expected,
                                     const TurnResult& result) {
  Differences found;
  if (expected.status && *expected.status != result.head.status) {
    found.add(fmt::format(
        "status:\n- {}\n+ {}{}", *expected.status, result.head.status,
        result.error ? fmt::format(" ({})", observe::printable(result.error->message())) : ""));
  }
  for (const auto& [name, value] : expected.headers) {
    const std::string* got = header_of(result.head, name);
    if (got != nullptr && *got == value) continue;
    found.add(fmt::format("header {}:\n- {}\n+ {}", name, shown(value),
                          got != nullptr ? shown(*got) : "(not there)"));
  }
  found.same_text("the body", expected.body, result.body);
  found.contains("the body", expected.body_contains, result.body);
  if (expected.body_json) {
    if (auto difference = json_difference(*expected.body_json, result.body))
      found.add(std::move(*difference));
  }
  if (expected.exit) check_exit(*expected.exit, result, found);
  found.same_text("standard output", expected.stdout_text, result.body);
  found.contains("standard output", expected.stdout_contains, result.body);
  found.contains("standard error", expected.stderr_contains, result.log);
  // A failure that the case says nothing of is one.
  if (!expected.status && !expected.exit && result.error) {
    found.add(fmt::format("the turn failed: {}", observe::printable(result.error->message())));
  }
  return found.take();
}

std::vector<std::string> differences(const app::CaseEffects& expected, const FoundState& found) {
  Differences differences;
  for (const app::StateValue& value : expected.values) {
    const std::string what = "kv " + shown(app::text_of(value.name));
    const auto got = std::ranges::find(found.values, value.name, &app::StateValue::name);
    if (got == found.values.end()) {
      differences.add(
          fmt::format("{}:\n- {}\n+ {}", what, shown(value.bytes), missing(value.name, found)));
      continue;
    }
    differences.same_text(what, value.bytes, got->bytes);
    if (value.expires &&
        (!got->expires || app::time_text(*value.expires) != app::time_text(*got->expires))) {
      differences.add(
          fmt::format("{}:\n- {}\n+ {}", what, time_of(value.expires), time_of(got->expires)));
    }
  }
  check_absent("kv", expected.absent, found.values, differences);
  for (const app::StateValue& blob : expected.blobs) {
    const std::string what = "blob " + shown(app::text_of(blob.name));
    const auto got = std::ranges::find(found.blobs, blob.name, &app::StateValue::name);
    if (got == found.blobs.end()) {
      differences.add(fmt::format("{}:\n- {}\n+ (not there)", what, shown(blob.bytes)));
    } else if (got->bytes.size() != blob.bytes.size()) {
      differences.add(
          fmt::format("{}:\n- {} bytes\n+ {} bytes", what, blob.bytes.size(), got->bytes.size()));
    } else {
      differences.same_text(what, blob.bytes, got->bytes);
    }
  }
  check_absent("blob", expected.absent_blobs, found.blobs, differences);
  for (const app::StateCount& counter : expected.counters) {
    const auto got = std::ranges::find(found.counters, counter.name, &app::StateCount::name);
    const std::int64_t count = got != found.counters.end() ? got->count : 0;
    if (count == counter.count) continue;
    differences.add(fmt::format("counter {}:\n- {}\n+ {}", shown(app::text_of(counter.name)),
                                counter.count, count));
  }
  return differences.take();
}

}  // namespace carrel::cli
