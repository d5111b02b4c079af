// What the tests over a real Redis server stand on.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/adapters/redis/redis_client.h"
#include "umbranet/adapters/redis/redis_short_term_memory.h"
#include "umbranet/base/clock.h"

#include "tests/contract/tier_world.h"

namespace umbranet {

// A prefix of its own on the server of scripts/services, so that tests may run beside one another;
// what is under it is removed at the end.
class RedisPlace {
 public:
  // Ends the test program where REDIS_URL is no address.
  RedisPlace();
  ~RedisPlace();
  RedisPlace(const RedisPlace&) = delete;
  RedisPlace& operator=(const RedisPlace&) = delete;

  // For a memory that lives here, with budgets that a machine under load keeps.
  [[nodiscard]] RedisShortTermMemory::Options Options() const;
  // The same, reached through a proxy on loopback.
  [[nodiscard]] RedisShortTermMemory::Options OptionsThrough(std::uint16_t port) const;

  [[nodiscard]] const RedisAddress& address() const { return address_; }

  // Every key of this place.
  std::vector<std::string> Keys();
  // As Keys, those that end so.
  std::vector<std::string> KeysEndingWith(std::string_view end);
  // Every value of this place that is text, turns and summaries alike, one after another.
  std::string Contents();
  void LoseEverything();

  // An error reply fails the test.
  RedisReply Call(std::initializer_list<std::string_view> command);

 private:
  SystemClock clock_;
  std::string url_;
  RedisAddress address_;
  std::string prefix_;
  std::unique_ptr<RedisClient> client_;
};

// The short-term memory in Redis over the journal's twin; the other tiers are twins.
std::unique_ptr<TierWorld> MakeRedisWorld();

}  // namespace umbranet
