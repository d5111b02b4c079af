# Compiler cache, linker, warnings and sanitizers. Everything a target of this repository is compiled with hangs on
# the interface library umbranet_house_rules.

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

# With the source folder as base, working copies in different folders share their cached objects. The
# launcher is a script, since ccache is told so through its environment.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(launcher "${CMAKE_BINARY_DIR}/launcher/ccache")
  file(
    CONFIGURE
    OUTPUT "${launcher}"
    CONTENT
      "#!/bin/sh
CCACHE_BASEDIR='${CMAKE_SOURCE_DIR}' CCACHE_NOHASHDIR=1 exec '${CCACHE_PROGRAM}' \"$@\"
"
    @ONLY)
  file(CHMOD "${launcher}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                                       WORLD_EXECUTE)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${launcher}")
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

find_package(Threads REQUIRED)

add_library(umbranet_house_rules INTERFACE)
target_link_libraries(umbranet_house_rules INTERFACE Threads::Threads)
target_compile_options(
  umbranet_house_rules
  INTERFACE -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=
            -fno-omit-frame-pointer
            -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wsign-conversion
            -Wnon-virtual-dtor
            -Wold-style-cast
            -Woverloaded-virtual
            -Wcast-align
            -Wformat=2
            -Wimplicit-fallthrough
            $<$<BOOL:${UMBRANET_WERROR}>:-Werror>
            $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
            # std::stable_sort of libstdc++ 12 calls a function that it deprecates itself. g++ knows, and reports the rest.
            $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
            # g++ 12 reports overlaps in std::string that are not there (GCC bugs 105329, 105651), and its other flow
            # analyses mistake inlined library code: they inform, clang and the sanitizers decide.
            $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
            $<$<CXX_COMPILER_ID:GNU>:-Wno-error=maybe-uninitialized>
            $<$<CXX_COMPILER_ID:GNU>:-Wno-error=array-bounds>
            $<$<CXX_COMPILER_ID:GNU>:-Wno-error=stringop-overflow>
            $<$<CXX_COMPILER_ID:GNU>:-Wno-error=stringop-overread>
            $<$<CXX_COMPILER_ID:GNU>:-Wno-error=dangling-pointer>
            $<$<CXX_COMPILER_ID:GNU>:-Wno-error=free-nonheap-object>)

# Every x86-64 machine of the last fifteen years runs this; a build for one machine may say more in CXXFLAGS.
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
  target_compile_options(umbranet_house_rules INTERFACE -march=x86-64-v2)
endif()

# A sanitized program runs several times slower, which the first optimisations win back; others compile quicker without.
if(UMBRANET_SANITIZE)
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1 -D_GLIBCXX_ASSERTIONS")
else()
  set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1 -D_GLIBCXX_ASSERTIONS")
endif()
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG -D_FORTIFY_SOURCE=2 -fstack-protector-strong")

if(UMBRANET_SANITIZE)
  target_compile_options(
    umbranet_house_rules INTERFACE -fsanitize=${UMBRANET_SANITIZE} -fno-sanitize-recover=all
                                   $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan -Wno-maybe-uninitialized>)
  target_link_options(umbranet_house_rules INTERFACE -fsanitize=${UMBRANET_SANITIZE})
endif()
if(UMBRANET_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "UMBRANET_FUZZ needs clang, since libFuzzer is part of it: use 'cmake --preset asan'")
  endif()
  target_compile_options(umbranet_house_rules INTERFACE -fsanitize=fuzzer-no-link)
endif()
