// The journal is the truth: every accepted turn is an immutable row, and tiers 2 to 4 are
// projections of it.
//
// All methods may be called from any thread. A failure leaves nothing behind, but for
// kDeadlineExceeded and kUnavailable of Accept, whose outcome is unknown: repeating it with the
// same ids is harmless and tells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "umbranet/base/clock.h"
#include "umbranet/base/result.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_job.h"
#include "umbranet/domain/session_tail.h"

namespace umbranet {

struct AcceptedTurn {
  std::string interaction_id;
  std::string job_id;
  bool duplicate = false;  // It was here before; nothing was stored again.
  JobState state = JobState::kReady;
  std::int64_t sequence = 0;
};

struct JournalEntry {
  Interaction interaction;
  JobStatus reflection;  // Without history.
};

struct JournalPage {
  std::vector<JournalEntry> entries;  // Oldest first.
  std::string next_cursor;            // Empty at the end.
};

// How far reflection has come for one user. accepted = reflected + pending + dead (cancelled jobs
// left with their turns).
struct Freshness {
  std::uint64_t accepted = 0;
  std::uint64_t reflected = 0;
  std::uint64_t pending = 0;
  std::uint64_t dead = 0;
  std::optional<Timestamp> oldest_pending_at;
  // When the user was forgotten last: the tombstone. Turns that were accepted before are refused.
  std::optional<Timestamp> forgotten_at;
  // Higher whenever what is answered of the user's memory may be another: when a batch of his
  // ended, and before and after whatever is changed by hand. 0: no tier but the first has ever had
  // anything of him. Nothing: the journal keeps none, and the tiers have to be asked.
  std::optional<std::int64_t> memory_version;
};

struct RecallOpeningQuery {
  UserKey user;
  std::optional<std::string> session_id;  // Whose newest turns are wanted.
  std::size_t unreflected_max = 0;
};

// What a recall begins with, all of one moment.
struct RecallOpening {
  Freshness freshness;
  // As Unreflected has them. Nothing: they have to be asked for.
  std::optional<std::vector<std::int64_t>> unreflected;
  // Of the session asked for. Nothing: none was, or it has to be looked up.
  std::optional<SessionTail> session;
};

// What was removed of a user, and the tombstone that stays.
struct JournalErasure {
  std::uint64_t turns = 0;
  std::uint64_t jobs_cancelled = 0;  // Those that were not finished.
  std::uint64_t jobs_finished = 0;   // Done or discarded, those of former generations too.
  std::uint64_t dead_letters = 0;
  std::uint64_t plans = 0;
  std::uint64_t attempts = 0;      // What is on record of failures.
  std::uint64_t answers = 0;       // First answers to requests with an Idempotency-Key.
  std::uint64_t acts = 0;          // What operators did with the user's dead letters.
  std::uint64_t shadow_plans = 0;  // Plans that a shadow made, and what came of comparing them.
  std::uint64_t spooled = 0;       // Of the turns: those that were in this process's spool alone.
  // No turn of the user that was there before has a higher place, and every later one has.
  std::int64_t last_sequence = 0;
  Timestamp forgotten_at{};
};

// The first answer to a request that carried an Idempotency-Key.
struct StoredAnswer {
  std::string fingerprint;  // Digest of the request: the same key with another request is a
                            // client's mistake.
  int http_status = 200;
  std::string body;
  Timestamp stored_at{};
  Timestamp began_at{};  // Of the request; only SaveAnswer looks at it. Zero: now.
};

class Journal {
 public:
  virtual ~Journal() = default;

  // Stores every turn and, in the same transaction, its reflection job (`job_id` = MakeJobId,
  // generation 0), and returns once that is durable: it survives kill -9 and power loss. All or
  // none. Results are in the order given. A turn whose interaction_id this user already has is left
  // as it is and reported as duplicate. kStorageFull: nothing was accepted. kAborted: the user was
  // forgotten after the turn was accepted elsewhere, or after its answering began.
  virtual Result<std::vector<AcceptedTurn>> Accept(std::span<const Interaction> turns, RunMode mode,
                                                   std::string_view traceparent,
                                                   Deadline deadline) = 0;

  // The turns of `user` with these ids, in the journal's order; unknown ids are left out.
  virtual Result<std::vector<Interaction>> Read(const UserKey& user,
                                                std::span<const std::string> interaction_ids,
                                                Deadline deadline) = 0;

  // Up to `limit` accepted turns after `cursor` ("" for the first page), each once. A bad cursor is
  // kInvalidArgument.
  virtual Result<JournalPage> List(const UserKey& user, std::string_view cursor, std::size_t limit,
                                   Deadline deadline) = 0;

  // The last `limit` turns of a session before `before_sequence` (0: the newest), oldest first.
  virtual Result<std::vector<Interaction>> Recent(const UserKey& user, std::string_view session_id,
                                                  std::int64_t before_sequence, std::size_t limit,
                                                  Deadline deadline) = 0;

  // The sequences of the turns whose episodic tier is not applied yet (waiting, leased, retrying or
  // dead), newest first, at most `limit`. Recall looks at these so that a turn is found before it
  // is reflected; what the turns say is read once, by ReadAt.
  virtual Result<std::vector<std::int64_t>> Unreflected(const UserKey& user, std::size_t limit,
                                                        Deadline deadline) = 0;

  // The turns of `user` with these sequences, in the order given; unknown ones are left out.
  virtual Result<std::vector<Interaction>> ReadAt(const UserKey& user,
                                                  std::span<const std::int64_t> sequences,
                                                  Deadline deadline) = 0;

  // Constant time in the number of turns.
  virtual Result<Freshness> ReadFreshness(const UserKey& user, Deadline deadline) = 0;

  // Freshness, and with it what the rest of a recall would ask next. A journal for which every
  // question is a round trip answers them together; one that is in the process need not.
  virtual Result<RecallOpening> OpenRecall(const RecallOpeningQuery& query, Deadline deadline) {
    UMBRANET_ASSIGN_OR_RETURN(const Freshness freshness, ReadFreshness(query.user, deadline));
    return RecallOpening{.freshness = freshness, .unreflected = {}, .session = {}};
  }

  // Removes the user's turns, jobs (in flight ones too: their leases are lost), plans and stored
  // answers, and leaves a tombstone with the time, so that nothing accepted before it can come
  // back, nor an answer to a request that began before. A later turn starts afresh.
  virtual Result<JournalErasure> EraseUser(const UserKey& user, Deadline deadline) = 0;

  // Idempotency. Keys are per tenant and live 24 hours.
  virtual Result<std::optional<StoredAnswer>> FindAnswer(std::string_view tenant,
                                                         std::string_view idempotency_key,
                                                         Deadline deadline) = 0;
  // Passed over when the user was forgotten since the request began.
  virtual Status SaveAnswer(const UserKey& user, std::string_view idempotency_key,
                            const StoredAnswer& answer, Deadline deadline) = 0;
};

}  // namespace umbranet
