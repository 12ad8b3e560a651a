#include "observe/exposition.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/utf8.h"

namespace carrel::observe {
namespace {

std::string_view text_of(Exposition::Kind kind) {
  switch (kind) {
    case Exposition::Kind::counter:
      return "counter";
    case Exposition::Kind::gauge:
      return "gauge";
    case Exposition::Kind::histogram:
      break;
  }
  return "histogram";
}

double seconds(Nanos nanos) { return std::chrono::duration<double>(nanos).count(); }

void append_value(std::string& text, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
}

}  // namespace

void Exposition::family(std::string_view name, Kind kind, std::string_view help) {
  name_ = name;
  fmt::format_to(std::back_inserter(text_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help,
                 text_of(kind));
}

void Exposition::name(std::string_view suffix, Labels labels, std::string_view bound) {
  text_ += name_;
  text_ += suffix;
  char separator = '{';
  const auto add = [&](std::string_view name, std::string_view value) {
    text_ += std::exchange(separator, ',');
    text_ += name;
    text_ += "=\"";
    append_value(text_, is_utf8(value) ? value : std::string_view("(not text)"));
    text_ += '"';
  };
  for (const Label& label : labels) add(label.name, label.value);
  if (!bound.empty()) add("le", bound);
  if (separator == ',') text_ += '}';
  text_ += ' ';
}

void Exposition::sample(Labels labels, std::uint64_t value) {
  name("", labels, "");
  fmt::format_to(std::back_inserter(text_), "{}\n", value);
}

void Exposition::sample(Labels labels, double value) {
  name("", labels, "");
  fmt::format_to(std::back_inserter(text_), "{}\n", value);
}

void Exposition::sample(Labels labels, const DurationCounts& durations) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < durations.buckets.size(); ++i) {
    total += durations.buckets[i];
    const bool last = i == kDurationBounds.size();
    name("_bucket", labels, last ? "+Inf" : fmt::format("{}", seconds(kDurationBounds[i])));
    fmt::format_to(std::back_inserter(text_), "{}\n", total);
  }
  name("_sum", labels, "");
  fmt::format_to(std::back_inserter(text_), "{}\n", static_cast<double>(durations.nanos) / 1e9);
  name("_count", labels, "");
  fmt::format_to(std::back_inserter(text_), "{}\n", total);
}

}  // namespace carrel::observe
