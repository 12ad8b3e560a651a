# The engine archive: target carrel_engine. ./dev builds it into a cache and passes CARREL_ENGINE_DIR
# (lib/libcarrel_engine.a, include/); without that, a plain `cargo build --release` in engine/ is used.
set(CARREL_ENGINE_DIR "" CACHE PATH "Folder with lib/libcarrel_engine.a and include/wasmtime.h")

set(engine_archive "${CARREL_ENGINE_DIR}/lib/libcarrel_engine.a")
file(REAL_PATH "${CARREL_ENGINE_DIR}/include" engine_headers)  # several archives share theirs
if(NOT CARREL_ENGINE_DIR)
  set(engine_archive "${CMAKE_SOURCE_DIR}/engine/target/release/libcarrel_engine.a")
  file(GLOB candidates "${CMAKE_SOURCE_DIR}/engine/target/release/build/wasmtime-c-api-impl-*/out/include")
  list(POP_BACK candidates engine_headers)
endif()
if(NOT EXISTS "${engine_archive}" OR NOT EXISTS "${engine_headers}/wasmtime/conf.h")
  message(FATAL_ERROR
    "the engine archive is not built\n"
    "  looked for  ${engine_archive}\n"
    "  help        ./dev build does it all; `./dev engine` builds only the archive and prints its folder,\n"
    "              to be passed as -DCARREL_ENGINE_DIR=FOLDER")
endif()

add_library(carrel_engine STATIC IMPORTED GLOBAL)
set_target_properties(carrel_engine PROPERTIES
  IMPORTED_LOCATION "${engine_archive}"
  INTERFACE_INCLUDE_DIRECTORIES "${engine_headers};${CMAKE_SOURCE_DIR}/engine/include"
  INTERFACE_LINK_LIBRARIES "Threads::Threads;dl;m")
