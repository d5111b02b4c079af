// The real servers that the integration tests run against, as scripts/services started them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace umbranet {

// `name` is the setting that would name the server: "POSTGRES_URL", "REDIS_URL", "NEO4J_URL",
// "RABBITMQ_URL". Nothing when it is not running.
std::optional<std::string> ServerUrl(std::string_view name);

// Why tests over that server are skipped; empty when it is there. Where servers are required
// (UMBRANET_REQUIRE_SERVERS=1, as in .ci/run) a missing one fails the test that asks.
std::string MissingServer(std::string_view name);

}  // namespace umbranet
