# work_test holds the front end compiled once more, with a call at every basic block. Not where a sanitizer or fuzzer
# brings calls of its own.
if(KOE_BUILD_TESTS AND NOT KOE_SANITIZE AND NOT KOE_FUZZ)
  get_target_property(g2p_sources koe_g2p SOURCES)
  get_target_property(text_sources koe_text SOURCES)
  list(TRANSFORM text_sources PREPEND "${CMAKE_SOURCE_DIR}/src/text/")
  add_library(koe_g2p_counted STATIC ${g2p_sources} ${text_sources} "${CMAKE_SOURCE_DIR}/src/base/utf8.cc")
  target_compile_options(koe_g2p_counted PRIVATE -fsanitize-coverage=trace-pc)
  pkg_check_modules(ICU REQUIRED IMPORTED_TARGET icu-uc)
  get_target_property(g2p_libraries koe_g2p LINK_LIBRARIES)
  target_link_libraries(koe_g2p_counted PUBLIC ${g2p_libraries} PRIVATE PkgConfig::ICU)
  koe_test(NAME work_test SOURCES work_test.cc LIBS koe_g2p_counted)
endif()
