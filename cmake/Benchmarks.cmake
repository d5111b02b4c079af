# One program per file: benchmarks/<name>.cc becomes bin/<name>. A file that includes benchmark/benchmark.h without a
# main of its own ends with BENCHMARK_MAIN().
find_package(benchmark REQUIRED)
file(GLOB benchmark_sources CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/benchmarks/*.cc")
foreach(source IN LISTS benchmark_sources)
  get_filename_component(name "${source}" NAME_WE)
  add_executable(${name} ${source})
  target_link_libraries(${name} PRIVATE umbranet_app benchmark::benchmark umbranet_house_rules)
endforeach()
