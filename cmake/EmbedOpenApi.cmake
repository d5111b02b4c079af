# Compiles src/umbranet/http/openapi.json into `target`, so that the binary carries the document it serves.
function(umbranet_embed_openapi target)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    return()
  endif()
  set(document "${CMAKE_SOURCE_DIR}/src/umbranet/http/openapi.json")
  set(source "${CMAKE_BINARY_DIR}/generated/umbranet/http/openapi_document.cc")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${document}")
  file(READ "${document}" text)
  file(
    CONFIGURE
    OUTPUT "${source}"
    CONTENT
      "#include \"umbranet/http/openapi_document.h\"

namespace umbranet {

std::string_view OpenApiDocument() {
  return R\"openapi(@text@)openapi\";
}

}  // namespace umbranet
"
    @ONLY)
  target_sources(${target} PRIVATE "${source}")
endfunction()
