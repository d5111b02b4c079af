// Tier 1 in Redis: the running conversations, near at hand for every process, while the journal
// keeps the truth.
//
// A session comes to Redis when it is first read, from the journal, and Append adds to it from then
// on: one round trip each. Every Read is held against the newest turns of the journal, usually the
// last two, which a caller who has just asked for them brings along (ReadAfter). So a turn whose
// Append was lost (a crash, a partition, a fail-over), entries that were evicted, and a user who
// was forgotten while Redis was away are all noticed, and the session is taken from the journal
// anew. Nothing is ever served that the journal does not have.
//
// At most `turns_max` turns of a session are kept, for `keep_for` after the last write. Summaries
// live here alone; one that is lost is worked out again from what the journal still has.
//
// All methods may be called from any thread; no connection is held while the journal is asked. When
// Redis is away or slow they fail within the budgets of Options, and at once while it stays away;
// Read does not fall back by itself, so that its caller can say that it did.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/circuit_breaker.h"
#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/ports/journal.h"
#include "umbranet/ports/short_term_memory.h"
#include "umbranet/telemetry/structured_log.h"

namespace umbranet {

class RedisClient;

class RedisShortTermMemory final : public ShortTermMemory {
 public:
  struct Options {
    std::string url;  // redis_address.h
    std::string key_prefix = "umbranet";
    Millis keep_for = std::chrono::hours(7 * 24);
    std::size_t turns_max = 128;  // Of a session.
    std::size_t connections_max = 16;
    Millis connect_budget{100};
    Millis call_budget{100};
    CircuitBreaker::Options breaker;
    StructuredLog* log = nullptr;  // May be null; must outlive this.
  };

  // Does not connect: Redis may be away. kInvalidArgument: the URL, without repeating it. `clock`
  // and `journal` must outlive the memory.
  static Result<std::unique_ptr<RedisShortTermMemory>> Open(const Clock& clock, Journal& journal,
                                                            const Options& options);
  ~RedisShortTermMemory() override;

  Status Append(const Interaction& turn, Deadline deadline) override;
  Result<Conversation> Read(const UserKey& user, std::string_view session_id,
                            const ConversationWindow& window, Deadline deadline) override;
  // Without a question to the journal where what Redis has agrees with `tail`, and without one to
  // Redis where the session has no turns.
  Result<Conversation> ReadAfter(const SessionTail& tail, const UserKey& user,
                                 std::string_view session_id, const ConversationWindow& window,
                                 Deadline deadline) override;
  Status SaveSummary(const UserKey& user, std::string_view session_id,
                     std::int64_t through_sequence, std::string_view summary,
                     Deadline deadline) override;
  // Counts summaries: the journal removes the turns.
  Result<std::uint64_t> EraseUser(const UserKey& user, Deadline deadline) override;

  // Whether the server answers and accepts the credentials, for start and readiness.
  Status Probe(Deadline deadline);

  // Open while Redis is taken to be away.
  [[nodiscard]] const CircuitBreaker& breaker() const;

 private:
  struct SessionKeys;
  struct Stored;

  RedisShortTermMemory(const Clock& clock, Journal& journal, Options options,
                       std::unique_ptr<RedisClient> client);

  // `tail`: null when the journal was not asked.
  Result<Conversation> ReadAgreeing(const SessionTail* tail, const UserKey& user,
                                    std::string_view session_id, const ConversationWindow& window,
                                    Deadline deadline);
  Result<Stored> ReadStored(const SessionKeys& keys, const UserKey& user,
                            std::string_view session_id, const ConversationWindow& window,
                            Deadline deadline);
  // Whether the journal has just these turns.
  Result<bool> AgreesWithJournal(const SessionKeys& keys, const UserKey& user,
                                 std::string_view session_id, const Stored& stored,
                                 const SessionTail* tail, Deadline deadline);
  // The sequences of the newest `count` turns or more, newest first.
  Result<std::vector<std::int64_t>> NewestOfJournal(const UserKey& user,
                                                    std::string_view session_id,
                                                    const Stored& stored, std::size_t count,
                                                    const SessionTail* tail, Deadline deadline);
  Result<Conversation> Rebuild(const SessionKeys& keys, const UserKey& user,
                               std::string_view session_id, const Stored& stored,
                               const ConversationWindow& window, Deadline deadline);
  Result<bool> HasTurnUpTo(const UserKey& user, std::string_view session_id, std::int64_t sequence,
                           Deadline deadline);

  const Clock& clock_;
  Journal& journal_;
  const Options options_;
  const std::string keep_for_ms_;
  const std::unique_ptr<RedisClient> client_;
};

}  // namespace umbranet
