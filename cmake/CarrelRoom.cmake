# A room is a folder of src/: one static library carrel_NAME and one test program NAME_test.
#
#   carrel_room(async
#     SOURCES run_queue.cc shard.cc      # none: a room of headers only
#     DEPS base asio                     # rooms, short names of CarrelLibraries.cmake, or CMake targets
#     TESTS run_queue_test.cc shard_test.cc
#     TEST_DEPS wasm                     # what only the tests need
#     FUZZ frame_fuzz.cc)                # one program NAME_frame_fuzz each, in the fuzz preset
function(carrel_room name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;TESTS;TEST_DEPS;FUZZ")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "carrel_room(${name}): unexpected ${arg_UNPARSED_ARGUMENTS}")
  endif()
  carrel_resolve(deps ${arg_DEPS})
  if(arg_SOURCES)
    add_library(carrel_${name} STATIC ${arg_SOURCES})
    set(scope PUBLIC)
  else()
    add_library(carrel_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_include_directories(carrel_${name} ${scope} "${CMAKE_SOURCE_DIR}/src")
  target_link_libraries(carrel_${name} ${scope} ${deps})

  if(CARREL_TESTS AND arg_TESTS)
    carrel_resolve(test_deps ${arg_TEST_DEPS})
    add_executable(${name}_test ${arg_TESTS})
    target_link_libraries(${name}_test PRIVATE carrel_${name} ${test_deps} GTest::gmock GTest::gtest_main)
    gtest_discover_tests(${name}_test
      DISCOVERY_MODE PRE_TEST
      WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}"
      PROPERTIES LABELS "unit;${name}" TIMEOUT 120)
    add_dependencies(unit_tests ${name}_test)
  endif()

  if(CARREL_FUZZ)
    foreach(source IN LISTS arg_FUZZ)
      get_filename_component(program "${source}" NAME_WE)
      add_executable(${name}_${program} ${source})
      target_link_libraries(${name}_${program} PRIVATE carrel_${name})
      target_link_options(${name}_${program} PRIVATE -fsanitize=fuzzer)
    endforeach()
  endif()
endfunction()

# Adds a folder and those of its subfolders that it does not add itself.
function(carrel_add_folder folder)
  file(GLOB own CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${folder}/CMakeLists.txt")
  if(own)
    add_subdirectory("${folder}")
    get_property(added DIRECTORY "${folder}" PROPERTY SUBDIRECTORIES)
  endif()
  file(GLOB children CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/${folder}/*/CMakeLists.txt")
  foreach(child IN LISTS children)
    get_filename_component(child "${child}" DIRECTORY)
    if(NOT child IN_LIST added)
      add_subdirectory("${child}")
    endif()
  endforeach()
endfunction()

# Room names and short names to targets; whatever looks like a target is taken as it is.
function(carrel_resolve out)
  set(targets "")
  foreach(dep IN LISTS ARGN)
    if(dep MATCHES "::" OR dep MATCHES "^carrel_")
      list(APPEND targets "${dep}")
    elseif(DEFINED carrel_lib_${dep})
      list(APPEND targets ${carrel_lib_${dep}})
    else()
      list(APPEND targets "carrel_${dep}")
    endif()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY carrel_needed ${targets})
  set(${out} "${targets}" PARENT_SCOPE)
endfunction()

# A dependency that no folder defines would only show as a missing -l at link time: say it now.
function(carrel_check_rooms)
  get_property(needed GLOBAL PROPERTY carrel_needed)
  list(REMOVE_DUPLICATES needed)
  foreach(target IN LISTS needed)
    if(NOT TARGET "${target}")
      message(WARNING "no room or library is called ${target}")
    endif()
  endforeach()
endfunction()
