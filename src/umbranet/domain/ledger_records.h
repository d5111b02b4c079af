// What every journal and ledger says the same way, whatever engine holds its rows. Pure; any
// thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "umbranet/base/clock.h"
#include "umbranet/domain/interaction.h"
#include "umbranet/domain/reflection_job.h"

namespace umbranet {

// Records of failures that are kept of one job; the latest.
inline constexpr std::int64_t kJobHistoryMax = 20;

// The job that a turn brings along when it is accepted.
ReflectionJob JobOfTurn(const Interaction& turn, RunMode mode, std::string_view traceparent);

// What is known of a turn whose job retention has removed: what the job left behind, or that it was
// done at generation 0.
JobStatus StatusWithoutJob(const Interaction& turn, std::optional<std::int64_t> generation,
                           std::optional<std::int64_t> state, std::uint32_t attempts_max);

// Column lists of SELECTs over "turn t" and "job j", in the order that the readers below expect,
// beginning at column `first`. A row is one of SqliteStatement or PostgresRow.
#define UMBRANET_TURN_COLUMNS                                                        \
  "t.seq, t.interaction_id, t.session_id, t.speaker, t.occurred_at, t.accepted_at, " \
  "t.priority, t.origin, t.metadata, t.user_message, t.assistant_response"
#define UMBRANET_JOB_COLUMNS                                                     \
  "j.job_id, j.generation, j.priority, j.mode, j.state, j.attempts, j.crashes, " \
  "j.tiers_done, j.enqueued_at, j.finished_at, j.available_at, j.traceparent, "  \
  "j.last_error, j.last_error_tier, j.fallback"
// Of "turn t LEFT JOIN job j", for LedgerRecords::Compare: what lacks its job, and what is done
// without a marker of each of `tiers` tiers beside the ledger, under `memory`: the key that those
// carry for the user.
#define UMBRANET_LACKS_JOB "(j.seq IS NULL AND t.past_state IS NULL)"
#define UMBRANET_LACKS_MARKER(tiers, memory)                                         \
  "(j.state = 2 AND (SELECT count(*) FROM tier_applied m WHERE m.user_key = " memory \
  " AND m.job_id = j.job_id) < " tiers ")"
// Turns, those without a job, those without a marker, and those that are not finished.
#define UMBRANET_COMPARISON(tiers, memory)               \
  "count(*), count(*) FILTER (WHERE " UMBRANET_LACKS_JOB \
  "), count(*) FILTER (WHERE " UMBRANET_LACKS_MARKER(    \
      tiers, memory) "), count(*) FILTER (WHERE j.state IN (0, 1, 4))"
// Compared turns are so much younger than what retention takes, so that a slow sweep is not taken
// for a loss.
inline constexpr Millis kBeforeRetention = std::chrono::hours(24);
// Of "audit r JOIN account a", in the order of OperatorAct.
#define UMBRANET_ACT_COLUMNS "r.id, r.at, r.actor, r.action, r.job_id, a.user_id, r.reason"
inline constexpr int kTurnColumns = 11;
inline constexpr int kJobColumns = 15;

template <typename Row>
Interaction ReadTurn(const Row& row, int first, const UserKey& user) {
  Interaction turn;
  turn.sequence = row.Int(first);
  turn.interaction_id = row.Text(first + 1);
  turn.user = user;
  turn.session_id = row.Text(first + 2);
  turn.speaker = row.Text(first + 3);
  turn.occurred_at = row.Time(first + 4);
  turn.accepted_at = row.Time(first + 5);
  turn.priority = static_cast<Priority>(row.Int(first + 6));
  turn.origin = static_cast<Origin>(row.Int(first + 7));
  turn.metadata = row.Text(first + 8);
  turn.user_message = row.Text(first + 9);
  turn.assistant_response = row.Text(first + 10);
  return turn;
}

// Without history.
template <typename Row>
JobStatus ReadJob(const Row& row, int first, const UserKey& user, std::string interaction_id,
                  std::uint32_t attempts_max) {
  JobStatus status;
  status.job.job_id = row.Text(first);
  status.job.user = user;
  status.job.interaction_id = std::move(interaction_id);
  status.job.generation = static_cast<std::uint32_t>(row.Int(first + 1));
  status.job.priority = static_cast<Priority>(row.Int(first + 2));
  status.job.mode = static_cast<RunMode>(row.Int(first + 3));
  status.state = static_cast<JobState>(row.Int(first + 4));
  status.attempts = static_cast<std::uint32_t>(row.Int(first + 5));
  status.attempts_max = attempts_max;
  status.crashes = static_cast<std::uint32_t>(row.Int(first + 6));
  status.tiers_done = static_cast<TierMask>(row.Int(first + 7));
  status.accepted_at = row.Time(first + 8);
  status.finished_at = row.OptionalTime(first + 9);
  status.next_attempt_at = row.OptionalTime(first + 10);
  status.job.traceparent = row.Text(first + 11);
  status.last_error = row.Text(first + 12);
  status.last_error_tier = row.Text(first + 13);
  status.fallback = row.Text(first + 14);
  return status;
}

// Cuts at 2,000 bytes, between characters.
std::string_view CutError(std::string_view error);

// The cursor of Journal::List: the sequence of the last turn of the page before. Nothing when it is
// none.
std::optional<std::int64_t> ParseJournalCursor(std::string_view cursor);

// The cursor of JobLedger::ListDead: the place of the last job of the page before.
struct DeadCursor {
  std::int64_t finished_at = std::numeric_limits<std::int64_t>::max();
  std::int64_t seq = std::numeric_limits<std::int64_t>::max();
};

std::string FormatDeadCursor(const DeadCursor& cursor);
// Of "": before the first page. Nothing when it is none.
std::optional<DeadCursor> ParseDeadCursor(std::string_view cursor);

}  // namespace umbranet
