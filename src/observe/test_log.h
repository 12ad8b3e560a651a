// For tests: a log that keeps each event as a line, its name and the texts of its fields.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "observe/log.h"

namespace carrel::observe {

// Thread: one.
class TestLog final : public Log {
 public:
  // `only`: of the fields, the one that counts; empty: all that are texts.
  explicit TestLog(std::string_view only = {}) : only_(only) {}

  bool wants(Level) const override { return true; }
  void write(Level, std::string_view event, std::initializer_list<Field> fields) override {
    std::string line(event);
    for (const Field& field : fields) {
      const auto* const text = std::get_if<std::string_view>(&field.value);
      if (text == nullptr || (!only_.empty() && field.name != only_)) continue;
      line.append(" ").append(*text);
    }
    all.push_back(std::move(line));
  }

  std::vector<std::string> all;

 private:
  std::string_view only_;
};

}  // namespace carrel::observe
