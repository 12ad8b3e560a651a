// The tests' program is its own compiling child, as `carrel` is.
#include <gtest/gtest.h>

#include <string_view>

#include "wasm/compile_child.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "compile-module")
    return carrel::wasm::compile_child_main(argc, argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
