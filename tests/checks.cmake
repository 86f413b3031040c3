# Checks of the tree and of the built objects, and whole-program tests in Python. A script that exits with 77 is reported
# as skipped (a Python package, the shared folder or the model bundle is absent).

find_package(Python3 REQUIRED COMPONENTS Interpreter)

# koe_python_test(NAME x SCRIPT path/from/root [ARGS ...] [LABELS slow] [TIMEOUT 300] [SERIAL])
function(koe_python_test)
  cmake_parse_arguments(P "SERIAL" "NAME;SCRIPT;TIMEOUT" "ARGS;LABELS" ${ARGN})
  if(NOT P_TIMEOUT)
    set(P_TIMEOUT 300)
  endif()
  add_test(NAME ${P_NAME} COMMAND Python3::Interpreter "${CMAKE_SOURCE_DIR}/${P_SCRIPT}" ${P_ARGS}
    WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}")
  set_tests_properties(${P_NAME} PROPERTIES TIMEOUT ${P_TIMEOUT} SKIP_RETURN_CODE 77 LABELS "${P_LABELS}"
    RUN_SERIAL ${P_SERIAL})
endfunction()

# A sanitized build would repeat these word for word (and its objects hold the sanitizers' own code).
if(NOT KOE_SANITIZE)
  koe_python_test(NAME check_layers SCRIPT tools/check_layers.py)
  koe_python_test(NAME check_format SCRIPT tools/check_format.py)
  koe_python_test(NAME check_docs SCRIPT tools/check_docs.py)
  koe_python_test(NAME check_drift SCRIPT tools/check_drift.py)
  koe_python_test(NAME schemas_test SCRIPT tests/schemas_test.py)
  koe_python_test(NAME check_headers SCRIPT tools/check_headers.py LABELS slow TIMEOUT 600 SERIAL
    ARGS --compiler "${CMAKE_CXX_COMPILER}")
  koe_python_test(NAME checks_test SCRIPT tests/checks_test.py)
  koe_python_test(NAME tools_test SCRIPT tests/tools_test.py)
  koe_python_test(NAME peers_test SCRIPT tests/peers_test.py)
  if(CMAKE_BUILD_TYPE STREQUAL "Release")
    set(libraries)
    foreach(module base kernels nn bundle download export text g2p stages audio pipeline devices api_download api)
      if(TARGET koe_${module})
        list(APPEND libraries $<TARGET_FILE:koe_${module}>)
      endif()
    endforeach()
    koe_python_test(NAME check_symbols SCRIPT tools/check_symbols.py ARGS ${libraries})
  endif()
  if(TARGET koe_cli)
    koe_python_test(NAME golden_test SCRIPT tests/golden_test.py LABELS slow TIMEOUT 600 SERIAL
      ARGS --koe $<TARGET_FILE:koe_cli>)
    koe_python_test(NAME golden_targets_test SCRIPT tests/golden_test.py LABELS slow TIMEOUT 900 SERIAL
      ARGS --targets --koe $<TARGET_FILE:koe_cli>)
    koe_python_test(NAME export_test_onnx SCRIPT tests/export_test.py LABELS slow TIMEOUT 300 SERIAL
      ARGS --koe $<TARGET_FILE:koe_cli>)
    koe_python_test(NAME place_test SCRIPT tests/place_test.py LABELS slow TIMEOUT 900 SERIAL
      ARGS --koe $<TARGET_FILE:koe_cli>)
    koe_python_test(NAME sdk_bundle_test SCRIPT tests/sdk_bundle_test.py LABELS slow TIMEOUT 300 ARGS --koe $<TARGET_FILE:koe_cli>)
    koe_python_test(NAME asr_test SCRIPT tests/asr_test.py LABELS slow TIMEOUT 900 SERIAL ARGS --koe $<TARGET_FILE:koe_cli>)
    # The README speaks of build/release, so it is tested there only.
    if(CMAKE_BINARY_DIR STREQUAL "${CMAKE_SOURCE_DIR}/build/release")
      koe_python_test(NAME readme_test SCRIPT tests/readme_test.py LABELS slow TIMEOUT 900 SERIAL)
    endif()
  endif()
endif()

koe_python_test(NAME number_words_test SCRIPT tests/number_words_test.py ARGS --check $<TARGET_FILE:koe_g2p_check>)
koe_python_test(NAME misaki_differential_test SCRIPT tests/misaki_differential_test.py LABELS slow
  ARGS --check $<TARGET_FILE:koe_g2p_check>)
koe_python_test(NAME spacy_tagger_test SCRIPT tests/spacy_tagger_test.py ARGS --check $<TARGET_FILE:koe_spacy_check>)
koe_python_test(NAME letter_to_sound_recipe_test SCRIPT tests/letter_to_sound_recipe_test.py)
