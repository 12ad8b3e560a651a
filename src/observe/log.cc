#include "observe/log.h"

#include <fmt/format.h>

#include <array>
#include <iterator>

#include "observe/json_line.h"

namespace carrel::observe {
namespace {

constexpr std::size_t kMaxText = 4096;  // bytes of one field
constexpr std::array<std::string_view, 5> kLevels = {"debug", "info", "warn", "error", "off"};

template <typename... F>
struct Overload : F... {
  using F::operator()...;
};

class JsonLog final : public Log {
 public:
  JsonLog(std::shared_ptr<LineWriter> writer, Level least, const Clock& clock)
      : writer_(std::move(writer)), least_(least), clock_(clock) {}

  bool wants(Level level) const override { return level >= least_ && level != Level::off; }

  void write(Level level, std::string_view event, std::initializer_list<Field> fields) override {
    if (!wants(level)) return;
    JsonLine line;
    line.add_time("time", std::chrono::nanoseconds(clock_.wall().time_since_epoch()).count())
        .add("level", level_name(level))
        .add("event", event);
    for (const Field& field : fields) {
      std::visit(
          Overload{[&](std::string_view text) { line.add(field.name, shorten(text, kMaxText)); },
                   [&](std::uint64_t number) { line.add(field.name, number); },
                   [&](HexId id) { line.add_id(field.name, id.value); }},
          field.value);
    }
    writer_->write(line.finish());
  }

 private:
  std::shared_ptr<LineWriter> writer_;
  Level least_;
  const Clock& clock_;
};

class TextLog final : public Log {
 public:
  TextLog(std::shared_ptr<LineWriter> writer, Level least)
      : writer_(std::move(writer)), least_(least) {}

  bool wants(Level level) const override { return level >= least_ && level != Level::off; }

  void write(Level level, std::string_view event, std::initializer_list<Field> fields) override {
    if (!wants(level)) return;
    std::string line = fmt::format("{}: {}", level_name(level), event);
    const auto out = std::back_inserter(line);
    for (const Field& field : fields) {
      std::visit(Overload{[&](std::string_view text) {
                            if (text.empty()) return;
                            fmt::format_to(out, "\n  {:<8} {}", field.name, indented(text));
                          },
                          [&](std::uint64_t number) {
                            fmt::format_to(out, "\n  {:<8} {}", field.name, number);
                          },
                          [&](HexId id) {
                            fmt::format_to(out, "\n  {:<8} {:016x}", field.name, id.value);
                          }},
                 field.value);
    }
    writer_->write(line);
  }

 private:
  // Error texts have lines of their own; each stays below its field.
  static std::string indented(std::string_view text) {
    text = shorten(text, kMaxText);
    std::string out;
    while (true) {
      const std::size_t end = text.find('\n');
      out += printable(text.substr(0, end));
      if (end == std::string_view::npos) return out;
      out += "\n           ";
      text.remove_prefix(end + 1);
    }
  }

  std::shared_ptr<LineWriter> writer_;
  Level least_;
};

class SilentLog final : public Log {
 public:
  bool wants(Level) const override { return false; }
  void write(Level, std::string_view, std::initializer_list<Field>) override {}
};

}  // namespace

std::string_view level_name(Level level) { return kLevels[static_cast<std::size_t>(level)]; }

Result<Level> level_of(std::string_view name) {
  for (std::size_t i = 0; i < kLevels.size(); ++i) {
    if (kLevels[i] == name) return static_cast<Level>(i);
  }
  return fail(Code::invalid_argument, fmt::format("there is no log level \"{}\"", name),
              "one of debug, info, warn, error, off");
}

std::unique_ptr<Log> make_log(std::shared_ptr<LineWriter> writer, Level least, LogForm form,
                              const Clock& clock) {
  if (form == LogForm::text) return std::make_unique<TextLog>(std::move(writer), least);
  return std::make_unique<JsonLog>(std::move(writer), least, clock);
}

std::unique_ptr<Log> make_silent_log() { return std::make_unique<SilentLog>(); }

}  // namespace carrel::observe
