#include "tests/integration/servers.h"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

std::string EnvironmentFile() {
  const char* const chosen = std::getenv("UMBRANET_SERVICES_FILE");
  return chosen != nullptr ? chosen : UMBRANET_SOURCE_DIR "/build/services/environment";
}

}  // namespace

std::optional<std::string> ServerUrl(std::string_view name) {
  std::ifstream file(EnvironmentFile());
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with(name) && line.substr(name.size()).starts_with("=")) {
      return line.substr(name.size() + 1);
    }
  }
  return std::nullopt;
}

std::string MissingServer(std::string_view name) {
  if (ServerUrl(name).has_value()) {
    return {};
  }
  const std::string why =
      std::string(name) + " names no running server; start it with scripts/services up";
  const char* const required = std::getenv("UMBRANET_REQUIRE_SERVERS");
  if (required != nullptr && std::string_view(required) == "1") {
    ADD_FAILURE() << why;
  }
  return why;
}

}  // namespace umbranet
