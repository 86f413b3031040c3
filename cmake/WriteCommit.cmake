# SPDX-License-Identifier: Apache-2.0
# Run at every build: OUTPUT gets the commit of SOURCE_DIR, and is touched only where that changed.
set(commit "unknown")
find_program(git git)
if(git AND EXISTS "${SOURCE_DIR}/.git")
  execute_process(COMMAND "${git}" -C "${SOURCE_DIR}" rev-parse --short=12 HEAD OUTPUT_VARIABLE head
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed)
    set(commit "${head}")
    execute_process(COMMAND "${git}" -C "${SOURCE_DIR}" status --porcelain --untracked-files=no OUTPUT_VARIABLE changes
      ERROR_QUIET)
    if(changes)
      string(APPEND commit " with changes")
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT "${OUTPUT}" @ONLY CONTENT "// Made by cmake/WriteCommit.cmake.
namespace koe::api {
extern const char kCommit[];
const char kCommit[] = \"@commit@\";
}  // namespace koe::api
")
