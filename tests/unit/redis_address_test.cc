// Goal: REDIS_URL is read as its users write it, and one that is refused says what to write and
// tells no secret. Method: forms there are, and forms there are not.
#include "umbranet/adapters/redis/redis_address.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(RedisUrl, HasADefaultForAllButTheHost) {
  const auto address = ParseRedisUrl("redis://Cache.Example.com");
  ASSERT_TRUE(address.ok());
  EXPECT_EQ(*address, (RedisAddress{.host = "cache.example.com", .user = "", .password = ""}));
  EXPECT_EQ(address->port, 6379);
  EXPECT_EQ(*ParseRedisUrl("redis://cache.example.com/"), *address);
}

TEST(RedisUrl, TakesUserPasswordPortAndDatabase) {
  const auto address = ParseRedisUrl("redis://mira:s%40cr%2Fet%3A@127.0.0.1:6380/3");
  ASSERT_TRUE(address.ok());
  EXPECT_FALSE(address->tls);
  EXPECT_EQ(address->host, "127.0.0.1");
  EXPECT_EQ(address->port, 6380);
  EXPECT_EQ(address->user, "mira");
  EXPECT_EQ(address->password, "s@cr/et:");
  EXPECT_EQ(address->database, 3U);
}

TEST(RedisUrl, TakesAPasswordWithoutAUser) {
  for (const char* const url : {"redis://:secret@host", "redis://secret@host"}) {
    const auto address = ParseRedisUrl(url);
    ASSERT_TRUE(address.ok()) << url;
    EXPECT_EQ(address->user, "");
    EXPECT_EQ(address->password, "secret");
  }
}

TEST(RedisUrl, TakesTlsAndIpv6) {
  const auto address = ParseRedisUrl("rediss://[::1]:6390");
  ASSERT_TRUE(address.ok());
  EXPECT_TRUE(address->tls);
  EXPECT_EQ(address->host, "::1");
  EXPECT_EQ(address->port, 6390);
  EXPECT_EQ(NameOfServer(*address), "Redis at [::1]:6390");
  EXPECT_EQ(ParseRedisUrl("redis://[::1]")->port, 6379);
}

TEST(RedisUrl, IsRefusedWithoutRepeatingIt) {
  for (const std::string_view url :
       {"", "secret", "http://u:secret@host", "redis://", "redis://u:secret@",
        "redis://u:secret%4@h", "redis://u:secret%zz@h", "redis://u:@h", "redis://u:secret@h:0",
        "redis://u:secret@h:70000", "redis://u:secret@h/one", "redis://u:secret@h/1/2",
        "redis://u:secret@h h", "redis://u:secret@h?x=1", "unix:///tmp/secret"}) {
    const auto address = ParseRedisUrl(url);
    ASSERT_FALSE(address.ok()) << url;
    EXPECT_EQ(address.error().code, ErrorCode::kInvalidArgument);
    EXPECT_THAT(address.error().message, HasSubstr("REDIS_URL"));
    EXPECT_THAT(address.error().message, Not(HasSubstr("secret")));
  }
}

TEST(RedisServer, IsNamedWithoutItsSecrets) {
  EXPECT_EQ(NameOfServer(*ParseRedisUrl("redis://mira:secret@host:1/2")), "Redis at host:1");
}

}  // namespace
}  // namespace umbranet
