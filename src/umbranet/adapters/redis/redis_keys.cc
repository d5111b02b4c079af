#include "umbranet/adapters/redis/redis_keys.h"

#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

constexpr std::size_t kDigits = 32;  // 128 bits.

}  // namespace

RedisUserKeys::RedisUserKeys(std::string_view prefix, const UserKey& user) {
  // The length keeps ("ab", "c") and ("a", "bc") apart, whatever bytes they are of.
  const std::string digest =
      Sha256Hex(std::to_string(user.tenant.size()) + ":" + user.tenant + user.user_id);
  base_ = std::string(prefix) + ":short_term:{" + digest.substr(0, kDigits) + "}:";
}

std::string RedisUserKeys::SessionName(std::string_view session_id) {
  return Sha256Hex(session_id).substr(0, kDigits);
}

}  // namespace umbranet
