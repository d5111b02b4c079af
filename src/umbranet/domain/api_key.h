// A credential of the HTTP API. The key alone decides whose memories a request sees.
#pragma once

#include <string>

namespace umbranet {

struct ApiKey {
  std::string tenant;
  std::string key;     // Secret: never logged, never shown.
  bool admin = false;  // Opens /v1/admin as well.
};

}  // namespace umbranet
