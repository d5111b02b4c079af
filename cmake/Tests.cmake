# Five programs of tests, and the fuzz targets.
#   unit_tests         tests/unit/*_test.cc      one class or function, no I/O but temporary files
#   contract_tests     tests/contract/*_test.cc  one suite per port, over every embedded implementation of it
#   simulation_tests   tests/simulation/*.cc     queue, reflector and spool in histories that a seed decides
#   integration_tests  the suites of tests/contract again, and tests/integration/*_test.cc, over real servers
#   system_tests       tests/system/*_test.cc    the built binary, from outside

find_package(GTest REQUIRED)
find_package(rapidcheck REQUIRED)
include(GoogleTest)

set(everything
    umbranet_app
    umbranet_http
    umbranet_governor
    umbranet_memory
    umbranet_extraction
    umbranet_reflection
    umbranet_config
    ${umbranet_adapters}
    umbranet_net
    umbranet_telemetry
    umbranet_search
    umbranet_ports
    umbranet_domain
    umbranet_base)

# In-memory twins and failing decorators: they live here alone, the product never links them.
file(GLOB double_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/doubles/*.cc")
if(double_sources)
  add_library(umbranet_doubles STATIC ${double_sources})
  target_include_directories(umbranet_doubles PUBLIC "${CMAKE_SOURCE_DIR}")
  target_link_libraries(umbranet_doubles PUBLIC umbranet_ports PRIVATE umbranet_house_rules)
else()
  add_library(umbranet_doubles INTERFACE)
  target_include_directories(umbranet_doubles INTERFACE "${CMAKE_SOURCE_DIR}")
  target_link_libraries(umbranet_doubles INTERFACE umbranet_ports)
endif()

# A sanitized test takes several times as long, and a shared machine is slower still.
set(timeout_factor 1)
if(UMBRANET_SANITIZE)
  set(timeout_factor 5)
endif()

# The suites that run over every implementation of a port, compiled once; a program brings the implementations.
file(GLOB suite_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/contract/*_contract_test.cc")
list(FILTER suite_sources EXCLUDE REGEX "/(embedder|language_model)_contract_test.cc$") # Their engines are their own.
set(suite_sources
    ${suite_sources}
    "${CMAKE_SOURCE_DIR}/tests/contract/ledger_fixture.cc"
    "${CMAKE_SOURCE_DIR}/tests/contract/ledger_model_test.cc"
    "${CMAKE_SOURCE_DIR}/tests/contract/tier_world.cc"
    "${CMAKE_SOURCE_DIR}/tests/contract/tiers_model_test.cc")
add_library(contract_suites OBJECT ${suite_sources})
target_include_directories(contract_suites PRIVATE "${CMAKE_SOURCE_DIR}")
target_link_libraries(contract_suites PRIVATE umbranet_doubles ${everything} rapidcheck GTest::gmock GTest::gtest
                                              umbranet_house_rules)

# umbranet_tests(<kind> <timeout in seconds of one test> [further sources])
function(umbranet_tests kind timeout_s)
  file(GLOB sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/${kind}/*.cc")
  list(REMOVE_ITEM sources ${suite_sources})
  list(APPEND sources ${ARGN})
  if(NOT sources)
    return()
  endif()
  add_executable(${kind}_tests ${sources})
  target_include_directories(${kind}_tests PRIVATE "${CMAKE_SOURCE_DIR}")
  target_link_libraries(${kind}_tests PRIVATE umbranet_doubles ${everything} rapidcheck GTest::gmock GTest::gtest
                                              GTest::gtest_main umbranet_house_rules)
  math(EXPR timeout_s "${timeout_s} * ${timeout_factor}")
  # These stop or freeze a server that the others use at the same time: nothing runs beside them.
  set(alone "SpoolTest.*:*/CrashPointsOfServing.*")
  gtest_discover_tests(
    ${kind}_tests
    TEST_PREFIX "${kind}."
    TEST_FILTER "-${alone}"
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${timeout_s} LABELS ${kind})
  if(kind STREQUAL integration)
    gtest_discover_tests(
      ${kind}_tests
      TEST_PREFIX "${kind}."
      TEST_FILTER "${alone}"
      DISCOVERY_MODE PRE_TEST
      DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT ${timeout_s} LABELS ${kind} RUN_SERIAL TRUE)
  endif()
endfunction()

umbranet_tests(unit 60)
umbranet_tests(contract 120 $<TARGET_OBJECTS:contract_suites>)
umbranet_tests(integration 120 $<TARGET_OBJECTS:contract_suites>
               "${CMAKE_SOURCE_DIR}/tests/system/server_process.cc") # For tests of the binary over real servers.
umbranet_tests(system 300)

# Links what it plays with alone, so that it is built without the rest of the house.
file(GLOB simulation_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/simulation/*.cc")
add_executable(simulation_tests ${simulation_sources})
target_include_directories(simulation_tests PRIVATE "${CMAKE_SOURCE_DIR}")
target_link_libraries(
  simulation_tests
  PRIVATE umbranet_doubles umbranet_memory umbranet_reflection umbranet_adapters_sqlite GTest::gtest GTest::gtest_main
          umbranet_house_rules)
math(EXPR simulation_timeout_s "120 * ${timeout_factor}")
gtest_discover_tests(
  simulation_tests
  TEST_PREFIX "simulation."
  DISCOVERY_MODE PRE_TEST
  DISCOVERY_TIMEOUT 60
  PROPERTIES TIMEOUT ${simulation_timeout_s} LABELS simulation)

# Paths are given to the few files that need them, since a path in the command line is a miss in a shared cache.
foreach(name layering_test deploy_files_test crash_point_test openai_recorded_exchanges_test)
  set(reader "${CMAKE_SOURCE_DIR}/tests/unit/${name}.cc")
  if(EXISTS "${reader}")
    set_source_files_properties("${reader}" PROPERTIES COMPILE_DEFINITIONS UMBRANET_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  endif()
endforeach()
foreach(program integration_tests system_tests)
  if(TARGET ${program} AND TARGET umbranet)
    add_dependencies(${program} umbranet)
    target_compile_definitions(${program} PRIVATE UMBRANET_BINARY="$<TARGET_FILE:umbranet>"
                                                  UMBRANET_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  endif()
endforeach()

# A fuzz target is one function. With UMBRANET_FUZZ libFuzzer drives it; in every other build a small main replays the
# seed corpus in tests/fuzz/corpus/<name>, so that a found crash stays found.
file(GLOB fuzz_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.cc")
foreach(source IN LISTS fuzz_sources)
  get_filename_component(name "${source}" NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE ${everything} umbranet_house_rules)
  if(UMBRANET_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set(replay_only -runs=0)
  else()
    target_sources(${name} PRIVATE "${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cc")
    set(replay_only)
  endif()
  add_test(NAME fuzz.${name} COMMAND ${name} ${replay_only} "${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name}")
  math(EXPR timeout_s "60 * ${timeout_factor}")
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT ${timeout_s})
endforeach()
