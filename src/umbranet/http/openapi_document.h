// The OpenAPI 3.1 document, as it stands in openapi.json.
#pragma once

#include <string_view>

namespace umbranet {

std::string_view OpenApiDocument();

}  // namespace umbranet
