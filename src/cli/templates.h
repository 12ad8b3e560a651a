// The templates of `carrel new`, built into the program from templates/.
#pragma once

#include <span>
#include <string_view>

namespace carrel::cli {

struct TemplateFile {
  std::string_view path;  // relative: "src/main.rs"
  std::string_view text;  // "{{name}}" stands for the app's name
};

struct Template {
  std::string_view name;  // the language
  std::span<const TemplateFile> files;
};

std::span<const Template> templates();

}  // namespace carrel::cli
