# Koe from other languages, and as it is installed.

# A C11 program over libkoe.so.
add_executable(c_api_test c_api_test.c)
set_target_properties(c_api_test PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON C_EXTENSIONS OFF)
target_compile_options(c_api_test PRIVATE -pedantic -Wall -Wextra -Werror)
target_include_directories(c_api_test PRIVATE "${CMAKE_SOURCE_DIR}/include")
target_link_libraries(c_api_test PRIVATE koe_shared)
if(KOE_SANITIZE)
  target_link_options(c_api_test PRIVATE -fsanitize=${KOE_SANITIZE})
  set_target_properties(c_api_test PROPERTIES LINKER_LANGUAGE CXX)
endif()
add_test(NAME c_api_test COMMAND c_api_test "${CMAKE_SOURCE_DIR}/models/kokoro-82m" "${CMAKE_CURRENT_BINARY_DIR}/c_api.wav")
set_tests_properties(c_api_test PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
add_test(NAME exported_symbols_test
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/exported_symbols_test.py" $<TARGET_FILE:koe_shared>)

# What is installed holds no sanitizer's code, so it is tested without.
if(NOT KOE_SANITIZE AND TARGET koe_cli)
  koe_python_test(NAME install_test SCRIPT tests/install_test.py ARGS --build "${CMAKE_BINARY_DIR}" TIMEOUT 300)
  koe_python_test(NAME deb_test SCRIPT tests/install_test.py ARGS --deb --build "${CMAKE_BINARY_DIR}" TIMEOUT 300)
  koe_python_test(NAME deb_root_test SCRIPT tests/install_test.py ARGS --fresh-root --build "${CMAKE_BINARY_DIR}"
    LABELS slow TIMEOUT 1800)
endif()
if(TARGET koe_python)
  koe_python_test(NAME python_package_test SCRIPT tests/python_package_test.py ARGS --build "${CMAKE_BINARY_DIR}" TIMEOUT 300 SERIAL)
endif()

# Streams, batches, completions and the manual page of the program, over an engine that makes sines.
add_library(koe_fake_alsa MODULE fake_alsa.c)
set_target_properties(koe_fake_alsa PROPERTIES C_STANDARD 11 C_STANDARD_REQUIRED ON PREFIX "")
target_compile_options(koe_fake_alsa PRIVATE -Wall -Wextra -Werror)
add_test(NAME cli_extras_test
  COMMAND Python3::Interpreter "${CMAKE_CURRENT_SOURCE_DIR}/cli_extras_test.py" --koe $<TARGET_FILE:koe_cli_fake>
          --alsa $<TARGET_FILE:koe_fake_alsa>)
set_tests_properties(cli_extras_test PROPERTIES TIMEOUT 120)

# What is for Apple's systems, as far as it can be checked elsewhere.
koe_python_test(NAME swift_package_test SCRIPT tests/swift_package_test.py)
koe_python_test(NAME mac_check_test SCRIPT tests/mac_check_test.py)
find_program(KOE_CLANG NAMES clang-14 clang)
if(KOE_CLANG)
  # Against headers of our own; -fsyntax-only needs no run time of Objective-C.
  add_test(NAME coreml_syntax_test COMMAND "${KOE_CLANG}" -fsyntax-only -x objective-c++ -std=c++20 -fobjc-arc -fblocks
    -fobjc-runtime=macosx-13.0 -Wall -Wextra -Wshadow -Werror -I "${CMAKE_SOURCE_DIR}/include" -I "${CMAKE_SOURCE_DIR}/src"
    -isystem "${CMAKE_CURRENT_SOURCE_DIR}/apple_stubs" "${CMAKE_SOURCE_DIR}/src/devices/coreml/coreml_model.mm")
  set_tests_properties(coreml_syntax_test PROPERTIES TIMEOUT 120)
endif()
