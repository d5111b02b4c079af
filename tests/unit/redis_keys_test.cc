// Goal: no user reaches another's keys, whatever they are called, and a cluster keeps a user's keys
// together. Method: names that would collide if they were merely joined.
#include "umbranet/adapters/redis/redis_keys.h"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::StartsWith;

std::string Slot(const std::string& key) {
  const std::size_t open = key.find('{');
  return key.substr(open, key.find('}') - open);
}

TEST(RedisKeys, DifferForUsersThatLookAlike) {
  std::set<std::string> bases;
  const std::vector<UserKey> users{{"default", "ana"}, {"ab", "c"},  {"a", "bc"}, {"a:1", "b"},
                                   {"a", "1:b"},       {"1:a", "b"}, {"", "ana"}, {"default", "*"}};
  for (const UserKey& user : users) {
    bases.insert(RedisUserKeys("umbranet", user).base());
  }
  EXPECT_EQ(bases.size(), users.size());
}

TEST(RedisKeys, HoldNothingOfWhatAUserIsCalled) {
  const RedisUserKeys keys("umbranet", {"default", "}{ana*"});
  for (const std::string& key :
       {keys.Sessions(), keys.Erased(), keys.Turns("s"), keys.About("s")}) {
    EXPECT_THAT(key, StartsWith("umbranet:short_term:{"));
    EXPECT_EQ(key.find("ana"), std::string::npos);
    EXPECT_EQ(Slot(key), Slot(keys.Sessions()));
  }
  EXPECT_EQ(RedisUserKeys::SessionName("a session").find_first_not_of("0123456789abcdef"),
            std::string::npos);
}

}  // namespace
}  // namespace umbranet
