# Gives `target` the header umbranet/app/build_version.h with the version and the commit. The header is looked at in each
# build and rewritten only when its text changes, so that a commit recompiles the one file that includes it.
function(umbranet_build_version target)
  set(header "${CMAKE_BINARY_DIR}/generated/umbranet/app/build_version.h")
  add_custom_target(
    umbranet_build_version
    COMMAND ${CMAKE_COMMAND} -D HEADER=${header} -D VERSION=${PROJECT_VERSION} -D SOURCE_DIR=${CMAKE_SOURCE_DIR} -P
            ${CMAKE_SOURCE_DIR}/cmake/write_build_version.cmake
    BYPRODUCTS ${header}
    COMMENT "")
  target_include_directories(${target} INTERFACE "${CMAKE_BINARY_DIR}/generated")
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL "INTERFACE_LIBRARY")
    target_include_directories(${target} PRIVATE "${CMAKE_BINARY_DIR}/generated")
  endif()
  add_dependencies(${target} umbranet_build_version)
endfunction()
