# Compiler and linker settings that every target shares.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
  message(FATAL_ERROR
    "Carrel is built with Clang 19 or newer: GCC 12 miscompiles temporaries in co_await expressions.\n"
    "  found  ${CMAKE_CXX_COMPILER} (${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION})\n"
    "  help   cmake --preset dev, or ./dev build")
endif()

add_compile_options(
  -Wall -Wextra -Werror
  -Wnon-virtual-dtor -Wimplicit-fallthrough -Wextra-semi -Wvla
  # Members left out of a designated initialiser take their defaults: that is what they are for.
  -Wno-missing-field-initializers -Wno-missing-designated-field-initializers
  -fvisibility=hidden -fvisibility-inlines-hidden
  -fno-omit-frame-pointer          # profiles and crash reports walk through guest frames
  -fstack-protector-strong -fstack-clash-protection
  -ffunction-sections -fdata-sections
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
add_compile_definitions(_GLIBCXX_ASSERTIONS)
add_link_options(-fuse-ld=lld -Wl,--gc-sections -Wl,-z,relro,-z,now)

if(CARREL_SANITIZE)
  add_compile_options("-fsanitize=${CARREL_SANITIZE}" -fno-sanitize-recover=all)
  add_link_options("-fsanitize=${CARREL_SANITIZE}")
endif()

if(CARREL_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
