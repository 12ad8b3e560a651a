# What is installed, and the Debian package that CPack makes of it: `./dev package`.
include(GNUInstallDirs)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # the program, not every test
set(packaging "${CMAKE_SOURCE_DIR}/packaging")

set(completion "${CMAKE_BINARY_DIR}/package/carrel.bash")
set(manual "${CMAKE_BINARY_DIR}/package/carrel.1.gz")
add_custom_command(
  OUTPUT "${completion}" "${manual}"
  COMMAND carrel completion bash > "${completion}"
  COMMAND gzip -9nc "${packaging}/carrel.1" > "${manual}"
  DEPENDS carrel "${packaging}/carrel.1"
  COMMENT "Completion and manual page"
  VERBATIM)
add_custom_target(package_files DEPENDS "${completion}" "${manual}")

install(TARGETS carrel RUNTIME)
install(FILES "${completion}" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME carrel)
install(FILES "${manual}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1")
install(FILES "${packaging}/carrel.service" DESTINATION lib/systemd/system)
install(FILES "${packaging}/carreld.toml" DESTINATION /etc/carrel)
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DOCDIR}" RENAME copyright)
install(FILES README.md CHANGELOG.md DEPENDENCIES.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY docs DESTINATION "${CMAKE_INSTALL_DOCDIR}" PATTERN design EXCLUDE)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME carrel)
set(CPACK_PACKAGE_CONTACT "The maintainers of Carrel <carrel@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "WebAssembly modules as functions and hooks, next to your data")
set(CPACK_PACKAGE_DESCRIPTION
    "A server and a command line that run other people's WebAssembly modules, each in a sealed room of its own, with transactional state.")
set(CPACK_PACKAGE_DIRECTORY "${CMAKE_BINARY_DIR}/package")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE zstd)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates, init-system-helpers (>= 1.54)")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${packaging}/conffiles;${packaging}/postinst;${packaging}/prerm;${packaging}/postrm")
include(CPack)
