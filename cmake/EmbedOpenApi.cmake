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
  # In pieces, since a compiler need not take a literal of more than 65,536 bytes.
  string(LENGTH "${text}" left)
  set(at 0)
  set(pieces "")
  while(at LESS left)
    string(SUBSTRING "${text}" ${at} 16000 piece)
    string(APPEND pieces "\n      R\"openapi(${piece})openapi\",")
    math(EXPR at "${at} + 16000")
  endwhile()
  file(
    CONFIGURE
    OUTPUT "${source}"
    CONTENT
      "#include \"umbranet/http/openapi_document.h\"

#include <initializer_list>
#include <string>
#include <string_view>

namespace umbranet {

std::string_view OpenApiDocument() {
  static const std::string document = [] {
    std::string whole;
    for (const std::string_view piece : std::initializer_list<std::string_view>{@pieces@
    }) {
      whole += piece;
    }
    return whole;
  }();
  return document;
}

}  // namespace umbranet
"
    @ONLY)
  target_sources(${target} PRIVATE "${source}")
endfunction()
