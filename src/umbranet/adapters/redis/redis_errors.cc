#include "umbranet/adapters/redis/redis_errors.h"

#include <algorithm>
#include <array>
#include <string>

#include "umbranet/base/utf8.h"

namespace umbranet {
namespace {

constexpr std::size_t kServerWordsMax = 200;

// The first word of an error tells its kind.
struct KnownReply {
  std::string_view word;
  ErrorCode code;
  std::string_view what;
};

constexpr std::array<KnownReply, 11> kKnownReplies = {{
    {"NOAUTH", ErrorCode::kFailedPrecondition,
     "it wants a password; put user and password into REDIS_URL"},
    {"WRONGPASS", ErrorCode::kFailedPrecondition,
     "it refuses the user or password; put the right ones into REDIS_URL"},
    {"NOPERM", ErrorCode::kFailedPrecondition,
     "the user of REDIS_URL may not do what short-term memory needs; let it run EVAL, EVALSHA, GET "
     "and PING on its keys"},
    {"WRONGTYPE", ErrorCode::kFailedPrecondition,
     "another program keeps something else under our keys; choose another database in REDIS_URL"},
    {"OOM", ErrorCode::kStorageFull, "its memory is full; raise maxmemory or let it evict"},
    {"MISCONF", ErrorCode::kStorageFull,
     "it cannot write to its disk and takes nothing new; make room there"},
    {"LOADING", ErrorCode::kUnavailable, "it is still reading its data after a start"},
    {"MASTERDOWN", ErrorCode::kUnavailable, "it has lost its master"},
    {"READONLY", ErrorCode::kUnavailable, "it is a replica and takes no writes"},
    {"BUSY", ErrorCode::kUnavailable, "another program's script keeps it busy"},
    {"MOVED", ErrorCode::kFailedPrecondition,
     "it is one node of a cluster; name a server that has all keys in REDIS_URL"},
}};

// On one line and short: it goes into a log.
std::string ServerWords(std::string_view text) {
  std::string words(TruncateUtf8(text, kServerWordsMax));
  std::replace_if(
      words.begin(), words.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return words;
}

std::string Prefix(const RedisAddress& address) {
  return "redis: " + NameOfServer(address) + ": ";
}

}  // namespace

Error ErrorOfReply(const RedisAddress& address, std::string_view reply) {
  const std::string_view word = reply.substr(0, reply.find(' '));
  for (const KnownReply& known : kKnownReplies) {
    if (known.word == word) {
      return {known.code, Prefix(address) + std::string(known.what)};
    }
  }
  // Older servers, and newer ones without such a user, know no word for these.
  if (reply.find("invalid password") != std::string_view::npos ||
      reply.find("without any password") != std::string_view::npos) {
    return {ErrorCode::kFailedPrecondition,
            Prefix(address) + "it refuses the user or password; put the right ones into REDIS_URL"};
  }
  if (reply.find("DB index is out of range") != std::string_view::npos) {
    return {ErrorCode::kFailedPrecondition,
            Prefix(address) + "it has no such database; name another one in REDIS_URL"};
  }
  if (reply.find("max number of clients") != std::string_view::npos) {
    return {ErrorCode::kUnavailable,
            Prefix(address) + "it has no connection left; raise maxclients"};
  }
  return {ErrorCode::kBadGateway, Prefix(address) + ServerWords(reply)};
}

Error ErrorOfConnection(const RedisAddress& address, const Error& error) {
  // Sockets are shared with the HTTP client, and their errors begin with its name.
  constexpr std::string_view kOther = "http: ";
  std::string_view words = error.message;
  if (words.starts_with(kOther)) {
    words.remove_prefix(kOther.size());
  }
  return {error.code, Prefix(address) + std::string(words)};
}

bool IsServerAway(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kDeadlineExceeded;
}

}  // namespace umbranet
