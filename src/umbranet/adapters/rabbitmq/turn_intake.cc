#include "umbranet/adapters/rabbitmq/turn_intake.h"

#include <algorithm>
#include <span>
#include <utility>

namespace umbranet {

Status TurnIntake::operator()(const IncomingJob& job, Deadline deadline) const {
  const std::string job_id = MakeJobId(job.turn.user, job.turn.interaction_id);
  UMBRANET_ASSIGN_OR_RETURN(const auto known, ledger_.Find(job.turn.user.tenant, job_id, deadline));
  if (known.has_value()) {
    return {};
  }
  Interaction turn = job.turn;
  const Timestamp now = clock_.Now();
  if (turn.occurred_at == Timestamp{}) {
    turn.occurred_at = turn.accepted_at == Timestamp{} ? now : turn.accepted_at;
  }
  if (turn.accepted_at == Timestamp{}) {
    UMBRANET_ASSIGN_OR_RETURN(const Freshness freshness,
                              journal_.ReadFreshness(turn.user, deadline));
    if (freshness.forgotten_at.has_value()) {
      return {};
    }
  }
  // When the producer made it is what decides whether its user was forgotten since. A clock that
  // is ahead must not carry a turn past that.
  if (turn.accepted_at != Timestamp{}) {
    turn.accepted_at = std::min(turn.accepted_at, now);
  }
  auto accepted =
      journal_.Accept(std::span(&turn, 1), RunMode::kBackground, job.traceparent, deadline);
  if (!accepted.ok()) {
    if (accepted.error().code == ErrorCode::kAborted) {
      return {};
    }
    return std::move(accepted).error();
  }
  const AcceptedTurn& stored = accepted->front();
  if (!stored.duplicate) {
    turn.sequence = stored.sequence;
    if (turn.accepted_at == Timestamp{}) {
      turn.accepted_at = now;
    }
    // As in MemoryManager::Remember: nothing can be lost any more, so this may not fail the call.
    [[maybe_unused]] const Status appended = short_term_.Append(turn, deadline);
  }
  return {};
}

}  // namespace umbranet
