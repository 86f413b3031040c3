# cmake --install and cpack. Three components, which are three Debian packages: the shared library (libkoe0), the program
# (koe), and what compiles against either form of the library (libkoe-dev). Model bundles are not part of any.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# All modules in one archive, for programs that want the C++ interface: koe::static. The shared library exports C alone,
# because a C++ one would tie callers to our compiler and standard library.
# Appends `target` and the static modules it links to the list named `found`.
function(koe_static_modules target found)
  if(NOT TARGET ${target} OR "${target}" IN_LIST ${found})
    return()
  endif()
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL "STATIC_LIBRARY")
    return()
  endif()
  set(list ${${found}} ${target})
  get_target_property(links ${target} LINK_LIBRARIES)
  foreach(link IN LISTS links)
    koe_static_modules("${link}" list)
  endforeach()
  set(${found} ${list} PARENT_SCOPE)
endfunction()
set(archives)
koe_static_modules(koe_api archives)
set(KOE_STATIC_ARCHIVE "${CMAKE_BINARY_DIR}/libkoe.a")
set(script "CREATE ${KOE_STATIC_ARCHIVE}\n")
foreach(module IN LISTS archives)
  string(APPEND script "ADDLIB $<TARGET_FILE:${module}>\n")
endforeach()
string(APPEND script "SAVE\nEND\n")
file(GENERATE OUTPUT "${CMAKE_BINARY_DIR}/libkoe.mri" CONTENT "${script}")
add_custom_command(OUTPUT "${KOE_STATIC_ARCHIVE}"
  COMMAND "${CMAKE_COMMAND}" -E rm -f "${KOE_STATIC_ARCHIVE}"
  COMMAND "${CMAKE_AR}" -M < "${CMAKE_BINARY_DIR}/libkoe.mri"
  DEPENDS ${archives} "${CMAKE_BINARY_DIR}/libkoe.mri" VERBATIM)
add_custom_target(koe_static_archive ALL DEPENDS "${KOE_STATIC_ARCHIVE}")

# What the archive needs, in pkg-config's and CMake's words.
set(KOE_STATIC_LIBRARIES hwy sndfile icuuc crypto curl stdc++ m pthread dl)
list(TRANSFORM KOE_STATIC_LIBRARIES PREPEND -l OUTPUT_VARIABLE KOE_PC_LIBS_PRIVATE)
list(JOIN KOE_PC_LIBS_PRIVATE " " KOE_PC_LIBS_PRIVATE)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/koe")
configure_file("${CMAKE_CURRENT_LIST_DIR}/package/koe.pc.in" "${CMAKE_BINARY_DIR}/package/koe.pc" @ONLY)
configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/package/koe-config.cmake.in"
  "${CMAKE_BINARY_DIR}/package/koe-config.cmake" INSTALL_DESTINATION "${package_dir}"
  PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file("${CMAKE_BINARY_DIR}/package/koe-config-version.cmake" VERSION "${PROJECT_VERSION}"
  COMPATIBILITY SameMinorVersion)

set_target_properties(koe_shared PROPERTIES EXPORT_NAME koe)
target_include_directories(koe_shared INTERFACE "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
install(TARGETS koe_shared EXPORT koe_targets
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT library NAMELINK_COMPONENT development)
install(EXPORT koe_targets NAMESPACE koe:: FILE koe-targets.cmake DESTINATION "${package_dir}" COMPONENT development)
install(FILES "${CMAKE_BINARY_DIR}/package/koe-config.cmake" "${CMAKE_BINARY_DIR}/package/koe-config-version.cmake"
  DESTINATION "${package_dir}" COMPONENT development)
install(FILES "${CMAKE_BINARY_DIR}/package/koe.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT development)
install(FILES "${KOE_STATIC_ARCHIVE}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT development)
install(DIRECTORY "${CMAKE_SOURCE_DIR}/include/koe" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT development
  FILES_MATCHING PATTERN "*.h")
install(TARGETS koe_cli RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT program)
# The program writes its own manual page and completions.
set(made "${CMAKE_BINARY_DIR}/package")
add_custom_command(OUTPUT "${made}/koe.1" "${made}/koe.bash" "${made}/_koe" "${made}/koe.fish"
  COMMAND koe_cli man > "${made}/koe.1"
  COMMAND koe_cli completions bash > "${made}/koe.bash"
  COMMAND koe_cli completions zsh > "${made}/_koe"
  COMMAND koe_cli completions fish > "${made}/koe.fish"
  DEPENDS koe_cli VERBATIM)
add_custom_target(koe_reference ALL DEPENDS "${made}/koe.1")
install(FILES "${made}/koe.1" DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT program)
install(FILES "${made}/koe.bash" DESTINATION "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" RENAME koe COMPONENT program)
install(FILES "${made}/_koe" DESTINATION "${CMAKE_INSTALL_DATADIR}/zsh/site-functions" COMPONENT program)
install(FILES "${made}/koe.fish" DESTINATION "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" COMPONENT program)
foreach(component package IN ZIP_LISTS "library;development;program" "libkoe${PROJECT_VERSION_MAJOR};libkoe-dev;koe")
  install(FILES "${CMAKE_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${package}" RENAME copyright
    COMPONENT ${component})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL library development program)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PACKAGE_CONTACT "Koe's authors <koe@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME "libkoe${PROJECT_VERSION_MAJOR}")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "text to speech with Kokoro-82M: shared library\n Turns English text into 24 kHz speech on the CPU, for programs in C and other languages.")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME koe)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION sound)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "alsa-utils | pulseaudio-utils")
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "text to speech with Kokoro-82M: program\n The command koe speaks English text into files, streams and speakers.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libkoe-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libkoe${PROJECT_VERSION_MAJOR} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "libcurl4-openssl-dev, libhwy-dev, libicu-dev, libsndfile1-dev, libssl-dev")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "text to speech with Kokoro-82M: headers and static library\n Headers for C and C++, the static library, pkg-config and CMake files.")
include(CPack)
