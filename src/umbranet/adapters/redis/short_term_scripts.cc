#include "umbranet/adapters/redis/short_term_scripts.h"

// What each writing script ends with: the session is noted under its user, and everything of it
// lives on for the whole time.
#define UMBRANET_KEEP                              \
  "redis.call('HINCRBY', KEYS[2], 'version', 1)\n" \
  "redis.call('SADD', KEYS[3], ARGV[2])\n"         \
  "for key = 1, 3 do\n"                            \
  "  redis.call('PEXPIRE', KEYS[key], ARGV[1])\n"  \
  "end\n"
#define UMBRANET_COUNT "redis.call('HSET', KEYS[2], 'count', redis.call('ZCARD', KEYS[1]))\n"

namespace umbranet {
namespace {

constexpr std::string_view kRead = R"(
local about = redis.call('HMGET', KEYS[2],
                         'verified', 'count', 'version', 'through', 'summary')
local stored = redis.call('ZCARD', KEYS[1])
local head = {0, 0, stored, about[1] or '0', about[3] or '0',
              redis.call('GET', KEYS[4]) or '', about[4] or '0', about[5] or ''}
if not about[1] or tonumber(about[2]) ~= stored then
  return {head, {}}
end
local turns, used, budget, most = {}, 0, tonumber(ARGV[1]), tonumber(ARGV[2])
for first = 0, stored - 1, 16 do
  for _, turn in ipairs(redis.call('ZREVRANGE', KEYS[1], first, first + 15)) do
    local tokens = tonumber(string.match(turn, '^%d+') or '')
    if not tokens then
      return {head, {}}
    end
    used = used + tokens
    if #turns > 0 and (used > budget or #turns >= most) then
      head[1], head[2] = 1, 1
      return {head, turns}
    end
    turns[#turns + 1] = turn
  end
end
head[1] = 1
return {head, turns}
)";

// A session that nobody has read yet, or whose turns are gone, is left to the next Read, which
// takes them from the journal. A turn that comes after a later one was verified takes that back.
constexpr std::string_view kAppend = R"(
local erased = redis.call('GET', KEYS[4])
if erased and tonumber(ARGV[5]) <= tonumber(erased) then
  return 0
end
local about = redis.call('HMGET', KEYS[2], 'verified', 'count')
if not about[1] or tonumber(about[2]) ~= redis.call('ZCARD', KEYS[1]) then
  return 0
end
if redis.call('ZCOUNT', KEYS[1], ARGV[3], ARGV[3]) > 0 then
  return 1
end
if tonumber(ARGV[3]) <= tonumber(about[1]) then
  redis.call('HSET', KEYS[2], 'verified', string.format('%.0f', tonumber(ARGV[3]) - 1))
end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[4])
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -1 - tonumber(ARGV[6]))
)" UMBRANET_COUNT UMBRANET_KEEP "return 1\n";

constexpr std::string_view kRebuild = R"(
if (redis.call('HGET', KEYS[2], 'version') or '0') ~= ARGV[3]
    or (redis.call('GET', KEYS[4]) or '') ~= ARGV[4] then
  return 0
end
redis.call('DEL', KEYS[1])
if ARGV[5] == '0' then
  redis.call('HDEL', KEYS[2], 'summary', 'through')
end
redis.call('HSET', KEYS[2], 'verified', ARGV[6])
for at = 7, #ARGV, 2 do
  redis.call('ZADD', KEYS[1], ARGV[at], ARGV[at + 1])
end
)" UMBRANET_COUNT UMBRANET_KEEP "return 1\n";

constexpr std::string_view kVerified = R"(
if redis.call('HGET', KEYS[2], 'version') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[2], 'verified', ARGV[2])
return 1
)";

constexpr std::string_view kSaveSummary = R"(
if (redis.call('GET', KEYS[4]) or '') ~= ARGV[3] then
  return 0
end
local through = redis.call('HGET', KEYS[2], 'through')
if through and tonumber(through) > tonumber(ARGV[4]) then
  return 0
end
redis.call('HSET', KEYS[2], 'through', ARGV[4], 'summary', ARGV[5])
)" UMBRANET_KEEP "return 1\n";

constexpr std::string_view kEraseUser = R"(
local summaries = 0
for _, session in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local about = ARGV[3] .. session .. ':about'
  summaries = summaries + redis.call('HEXISTS', about, 'summary')
  redis.call('UNLINK', about, ARGV[3] .. session .. ':turns')
end
redis.call('UNLINK', KEYS[1])
local before = redis.call('GET', KEYS[2])
if not before or tonumber(before) < tonumber(ARGV[1]) then
  redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
end
return summaries
)";

}  // namespace

const RedisScript& ReadScript() {
  static const RedisScript script(kRead);
  return script;
}

const RedisScript& AppendScript() {
  static const RedisScript script(kAppend);
  return script;
}

const RedisScript& RebuildScript() {
  static const RedisScript script(kRebuild);
  return script;
}

const RedisScript& VerifiedScript() {
  static const RedisScript script(kVerified);
  return script;
}

const RedisScript& SaveSummaryScript() {
  static const RedisScript script(kSaveSummary);
  return script;
}

const RedisScript& EraseUserScript() {
  static const RedisScript script(kEraseUser);
  return script;
}

}  // namespace umbranet
