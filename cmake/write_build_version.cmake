# Run by the target umbranet_build_version, in every build.
execute_process(
  COMMAND git -C "${SOURCE_DIR}" rev-parse --short=12 HEAD
  OUTPUT_VARIABLE commit
  OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
  RESULT_VARIABLE failed)
if(failed OR NOT commit)
  # An image is built without the history, and told what it is built from.
  set(commit "$ENV{SOURCE_COMMIT}")
  if(NOT commit)
    set(commit "unknown")
  endif()
else()
  execute_process(
    COMMAND git -C "${SOURCE_DIR}" status --porcelain --untracked-files=no
    OUTPUT_VARIABLE changes
    ERROR_QUIET)
  if(changes)
    string(APPEND commit "+changes")
  endif()
endif()

set(text
    "#pragma once

#include <string_view>

namespace umbranet {

inline constexpr std::string_view kVersion = \"${VERSION}\";
inline constexpr std::string_view kCommit = \"${commit}\";

}  // namespace umbranet
")
set(before "")
if(EXISTS "${HEADER}")
  file(READ "${HEADER}" before)
endif()
if(NOT before STREQUAL text)
  file(WRITE "${HEADER}" "${text}")
endif()
