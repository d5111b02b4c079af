#include "umbranet/memory/memory_manager.h"

#include <string_view>
#include <utility>

#include "umbranet/base/crash_point.h"
#include "umbranet/base/unique_id.h"

namespace umbranet {
namespace {

std::string_view RejectionReason(ErrorCode code) {
  switch (code) {
    case ErrorCode::kStorageFull:
      return "storage_full";
    case ErrorCode::kResourceExhausted:
      return "overloaded";
    case ErrorCode::kInvalidArgument:
      return "invalid";
    case ErrorCode::kUnavailable:
    case ErrorCode::kDeadlineExceeded:
      return "unavailable";
    default:
      return "other";
  }
}

void CountAccepted(Metrics& metrics, const std::vector<Interaction>& turns,
                   const Result<std::vector<AcceptedTurn>>& accepted) {
  if (!accepted.ok()) {
    metrics.reflection_rejected_total.At(RejectionReason(accepted.error().code))
        .Increment(static_cast<double>(turns.size()));
    return;
  }
  for (std::size_t i = 0; i < turns.size() && i < accepted->size(); ++i) {
    metrics.reflection_enqueued_total
        .At({PriorityName(turns[i].priority),
             (*accepted)[i].state == JobState::kSpooled ? "spool" : "ledger",
             (*accepted)[i].duplicate ? "true" : "false"})
        .Increment();
  }
}

bool IsAway(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kDeadlineExceeded;
}

constexpr std::size_t kPendingBytesMax = std::size_t{32} << 20U;
constexpr std::size_t kSpooledBytesMax = std::size_t{8} << 20U;

}  // namespace

MemoryManager::MemoryManager(const Clock& clock, BoundedWorkerPool& recall_pool, Stores stores,
                             const Options& options)
    : clock_(clock),
      recall_pool_(recall_pool),
      stores_(stores),
      options_(options),
      embedding_allowance_(clock, options.chat_embeddings_per_s),
      pending_turns_(stores.journal, kPendingBytesMax) {
  if (stores_.spool != nullptr) {
    spooled_turns_.emplace(stores_.spool->turns(), kSpooledBytesMax);
  }
}

Result<MemoryManager::Remembered> MemoryManager::Remember(std::vector<Interaction> turns,
                                                          RunMode mode,
                                                          std::string_view traceparent,
                                                          Deadline deadline) {
  const Timestamp now = clock_.Now();
  const Timestamp accepted_at =
      options_.ledger_clock == nullptr ? now : options_.ledger_clock->Now();
  for (Interaction& turn : turns) {
    if (turn.interaction_id.empty()) {
      turn.interaction_id = NewUuidV7(now);
    }
    if (turn.occurred_at == Timestamp{}) {
      turn.occurred_at = now;
    }
    turn.accepted_at = accepted_at;
  }
  Remembered remembered;
  UMBRANET_CRASH_POINT("accept.before_commit");
  auto accepted_turns = stores_.journal.Accept(turns, mode, traceparent, deadline);
  UMBRANET_CRASH_POINT_PASSED("accept.after_commit");
  if (options_.metrics != nullptr) {
    CountAccepted(*options_.metrics, turns, accepted_turns);
  }
  UMBRANET_ASSIGN_OR_RETURN(remembered.turns, std::move(accepted_turns));

  // From here on nothing can be lost, so nothing below may fail the call.
  const bool ring =
      mode == RunMode::kBackground || (options_.ring_for_inline && options_.ring_for_inline());
  bool short_term_away = false;
  bool spooled = false;
  for (std::size_t i = 0; i < turns.size() && i < remembered.turns.size(); ++i) {
    const AcceptedTurn& accepted = remembered.turns[i];
    spooled = spooled || accepted.state == JobState::kSpooled;
    // A turn in the spool has no place in the conversation and no job yet; recall finds it there.
    if (accepted.duplicate || accepted.state == JobState::kSpooled) {
      continue;
    }
    turns[i].sequence = accepted.sequence;
    if (!short_term_away) {
      const Status appended = stores_.short_term.Append(turns[i], deadline);
      // A store that is away would make each of a thousand turns wait for it.
      short_term_away = !appended.ok() && IsAway(appended.error());
      if (!appended.ok() && remembered.degraded.empty()) {
        remembered.degraded.emplace_back(TierName(Tier::kShortTerm));
      }
    }
    if (ring) {
      stores_.doorbell.RingWithTurn({.job_id = accepted.job_id,
                                     .user = turns[i].user,
                                     .interaction_id = turns[i].interaction_id,
                                     .priority = turns[i].priority,
                                     .mode = mode,
                                     .traceparent = std::string(traceparent)},
                                    turns[i]);
    }
    pending_turns_.Note(std::move(turns[i]));
  }
  UMBRANET_CRASH_POINT_PASSED("accept.after_ring");
  if (spooled || (ring && !stores_.doorbell.Healthy())) {
    remembered.degraded.emplace_back("queue");
  }
  return remembered;
}

}  // namespace umbranet
