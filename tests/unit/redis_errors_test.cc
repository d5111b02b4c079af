// Goal: each way in which a Redis server refuses tells its caller what to do. Method: the server's
// own words.
#include "umbranet/adapters/redis/redis_errors.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Error Refused(std::string_view reply) {
  return ErrorOfReply(*ParseRedisUrl("redis://mira:secret@host:1"), reply);
}

TEST(RedisErrors, TellWhoMustAct) {
  EXPECT_EQ(Refused("NOAUTH Authentication required.").code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(Refused("WRONGPASS invalid username-password pair or user is disabled.").code,
            ErrorCode::kFailedPrecondition);
  EXPECT_EQ(Refused("ERR invalid password").code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(Refused("NOPERM this user has no permissions to run the 'get' command").code,
            ErrorCode::kFailedPrecondition);
  EXPECT_EQ(Refused("ERR DB index is out of range").code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(Refused("OOM command not allowed when used memory > 'maxmemory'.").code,
            ErrorCode::kStorageFull);
  EXPECT_EQ(Refused("MISCONF Redis is configured to save RDB snapshots, but ...").code,
            ErrorCode::kStorageFull);
  EXPECT_EQ(Refused("LOADING Redis is loading the dataset in memory").code,
            ErrorCode::kUnavailable);
  EXPECT_EQ(Refused("READONLY You can't write against a read only replica.").code,
            ErrorCode::kUnavailable);
  EXPECT_EQ(Refused("ERR max number of clients reached").code, ErrorCode::kUnavailable);
  EXPECT_EQ(Refused("MOVED 3999 127.0.0.1:6381").code, ErrorCode::kFailedPrecondition);
  EXPECT_EQ(Refused("ERR something else").code, ErrorCode::kBadGateway);
}

TEST(RedisErrors, NameTheServerOnOneLineWithoutItsSecret) {
  const Error error = Refused("ERR two\r\nlines");
  EXPECT_EQ(error.message, "redis: Redis at host:1: ERR two  lines");
  EXPECT_THAT(Refused("NOAUTH").message, HasSubstr("REDIS_URL"));
  EXPECT_THAT(Refused("NOAUTH").message, Not(HasSubstr("secret")));
  EXPECT_LT(Refused(std::string(10'000, 'x')).message.size(), 300U);
}

TEST(RedisErrors, OfASocketAreThoseOfTheServer) {
  const Error error = ErrorOfConnection(*ParseRedisUrl("redis://host:1"),
                                        Unavailable("http: connect: Connection refused"));
  EXPECT_EQ(error.message, "redis: Redis at host:1: connect: Connection refused");
  EXPECT_TRUE(IsServerAway(error));
  EXPECT_FALSE(IsServerAway(Refused("NOAUTH")));
}

}  // namespace
}  // namespace umbranet
