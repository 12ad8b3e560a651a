# Debian's libraries. Rooms name them in DEPS by their CMake targets; see DEPENDENCIES.md.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)  # headers only: Boost::headers
find_package(OpenSSL 3 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
find_package(RocksDB 7.8 REQUIRED)

# What programs take memory from, RocksDB's and the engine's included. Sanitizers bring their own.
set(carrel_allocator "")
if(NOT CARREL_SANITIZE AND NOT CARREL_FUZZ)
  find_library(CARREL_MIMALLOC mimalloc REQUIRED)
  set(carrel_allocator -Wl,--push-state,--no-as-needed "${CARREL_MIMALLOC}" -Wl,--pop-state)
endif()

# The C library's own: DNS.
find_library(CARREL_RESOLV resolv REQUIRED)
add_library(Resolv::resolv INTERFACE IMPORTED)
target_link_libraries(Resolv::resolv INTERFACE "${CARREL_RESOLV}")

# Short names for DEPS of carrel_room().
set(carrel_lib_threads Threads::Threads)
set(carrel_lib_asio Boost::headers)
set(carrel_lib_boost Boost::headers)
set(carrel_lib_openssl OpenSSL::SSL OpenSSL::Crypto)
set(carrel_lib_crypto OpenSSL::Crypto)
set(carrel_lib_fmt fmt::fmt)
set(carrel_lib_spdlog spdlog::spdlog)
set(carrel_lib_nlohmann_json nlohmann_json::nlohmann_json)
set(carrel_lib_tomlplusplus tomlplusplus::tomlplusplus)
set(carrel_lib_cli11 CLI11::CLI11)
set(carrel_lib_seccomp PkgConfig::seccomp)
set(carrel_lib_sodium PkgConfig::sodium)
set(carrel_lib_resolv Resolv::resolv)
set(carrel_lib_zlib ZLIB::ZLIB)
set(carrel_lib_rocksdb RocksDB::rocksdb-shared)
