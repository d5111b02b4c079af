#include "tests/doubles/in_memory_journal.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

namespace umbranet {

namespace {

bool IsPending(JobState state) {
  return state == JobState::kReady || state == JobState::kLeased || state == JobState::kRetryWait;
}

}  // namespace

Result<std::vector<AcceptedTurn>> InMemoryJournal::Accept(std::span<const Interaction> turns,
                                                          RunMode mode,
                                                          std::string_view traceparent,
                                                          Deadline deadline) {
  if (deadline.Expired()) {
    return DeadlineExceeded("in-memory journal: out of time");
  }
  MutexLock lock(store_.mutex);
  for (const Interaction& turn : turns) {
    const auto erased = store_.erased_at.find(turn.user);
    const Timestamp since = KnownSince(turn);
    if (erased != store_.erased_at.end() && !store_.IsBroken(BrokenPromise::kTombstone) &&
        since != Timestamp{} && ToUnixMillis(since) < erased->second) {
      return Aborted("in-memory journal: the user was forgotten after this turn was accepted");
    }
    const InMemoryLedgerStore::Job* job = store_.FindJob(MakeJobId(turn.user, turn.interaction_id));
    if (job != nullptr && job->status.job.user != turn.user) {
      return Error{ErrorCode::kAlreadyExists, "in-memory journal: the job is another user's"};
    }
  }
  std::vector<AcceptedTurn> accepted;
  for (const Interaction& turn : turns) {
    accepted.push_back(AcceptOne(turn, mode, traceparent));
  }
  return accepted;
}

AcceptedTurn InMemoryJournal::AcceptOne(const Interaction& turn, RunMode mode,
                                        std::string_view traceparent) {
  // A turn that is here already moves the ledger's time on as well.
  const Timestamp now = FromUnixMillis(store_.Now());
  AcceptedTurn accepted{.interaction_id = turn.interaction_id, .job_id = {}};
  if (const InMemoryLedgerStore::Turn* known = store_.FindTurn(turn.user, turn.interaction_id)) {
    if (store_.IsBroken(BrokenPromise::kOneTurnAnId)) {
      Interaction again = turn;
      again.interaction_id += "+";
      return AcceptOne(again, mode, traceparent);
    }
    const JobStatus status = StatusOf(known->interaction.sequence, *known);
    accepted.job_id = status.job.job_id;
    accepted.duplicate = true;
    accepted.state = status.state;
    accepted.sequence = known->interaction.sequence;
    return accepted;
  }
  const std::int64_t seq = ++store_.last_sequence;
  InMemoryLedgerStore::Turn stored{.interaction = turn};
  stored.interaction.sequence = seq;
  if (turn.accepted_at == Timestamp{}) {
    stored.interaction.accepted_at = now;
  }
  store_.turns[seq] = stored;
  accepted.job_id = MakeJobId(turn.user, turn.interaction_id);
  accepted.sequence = seq;
  if (const InMemoryLedgerStore::Job* foreign = store_.FindJob(accepted.job_id)) {
    InMemoryLedgerStore::Job adopted = *foreign;
    store_.jobs.erase(foreign->seq);
    adopted.seq = seq;
    adopted.has_turn = true;
    accepted.state = adopted.status.state;
    store_.jobs[seq] = std::move(adopted);
    return accepted;
  }
  store_.AddJob(seq,
                {.job_id = accepted.job_id,
                 .user = turn.user,
                 .interaction_id = turn.interaction_id,
                 .priority = turn.priority,
                 .mode = mode,
                 .generation = 0,
                 .traceparent = std::string(traceparent)},
                /*has_turn=*/true);
  return accepted;
}

JobStatus InMemoryJournal::StatusOf(std::int64_t seq, const InMemoryLedgerStore::Turn& turn) {
  const auto job = store_.jobs.find(seq);
  if (job != store_.jobs.end()) {
    JobStatus status = job->second.status;
    status.history.clear();
    return status;
  }
  JobStatus status;
  status.job.user = turn.interaction.user;
  status.job.interaction_id = turn.interaction.interaction_id;
  status.job.priority = turn.interaction.priority;
  status.job.generation = turn.past_generation;
  status.job.job_id = MakeJobId(status.job.user, status.job.interaction_id, status.job.generation);
  status.state = turn.past_state;
  status.attempts_max = store_.options.retry.attempts_max;
  status.tiers_done = turn.past_state == JobState::kDone ? kAllReflectedTiers : TierMask{0};
  status.accepted_at = turn.interaction.accepted_at;
  return status;
}

Result<std::vector<Interaction>> InMemoryJournal::Read(const UserKey& user,
                                                       std::span<const std::string> interaction_ids,
                                                       Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  std::vector<Interaction> found;
  for (const auto& [seq, turn] : store_.turns) {
    if (turn.interaction.user == user &&
        std::find(interaction_ids.begin(), interaction_ids.end(),
                  turn.interaction.interaction_id) != interaction_ids.end()) {
      found.push_back(turn.interaction);
    }
  }
  return found;
}

Result<JournalPage> InMemoryJournal::List(const UserKey& user, std::string_view cursor,
                                          std::size_t limit, Deadline /*deadline*/) {
  std::int64_t after = 0;
  if (!cursor.empty()) {
    const auto [end, failed] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), after);
    if (failed != std::errc() || end != cursor.data() + cursor.size() || after < 0) {
      return InvalidArgument("in-memory journal: bad cursor");
    }
  }
  MutexLock lock(store_.mutex);
  JournalPage page;
  for (const auto& [seq, turn] : store_.turns) {
    if (seq <= after || turn.interaction.user != user) {
      continue;
    }
    if (page.entries.size() == limit) {
      page.next_cursor = page.entries.empty()
                             ? std::string(cursor)
                             : std::to_string(page.entries.back().interaction.sequence);
      break;
    }
    page.entries.push_back({.interaction = turn.interaction, .reflection = StatusOf(seq, turn)});
  }
  return page;
}

Result<std::vector<Interaction>> InMemoryJournal::Recent(const UserKey& user,
                                                         std::string_view session_id,
                                                         std::int64_t before_sequence,
                                                         std::size_t limit, Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  std::vector<Interaction> found;
  for (const auto& [seq, turn] : store_.turns) {
    if (turn.interaction.user == user && turn.interaction.session_id == session_id &&
        (before_sequence == 0 || seq < before_sequence)) {
      found.push_back(turn.interaction);
    }
  }
  if (found.size() > limit) {
    found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(limit));
  }
  return found;
}

Result<std::vector<std::int64_t>> InMemoryJournal::Unreflected(const UserKey& user,
                                                               std::size_t limit,
                                                               Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  return UnreflectedOf(user, limit);
}

std::vector<std::int64_t> InMemoryJournal::UnreflectedOf(const UserKey& user,
                                                         std::size_t limit) const {
  std::vector<std::int64_t> found;
  for (auto turn = store_.turns.rbegin(); turn != store_.turns.rend(); ++turn) {
    const auto job = store_.jobs.find(turn->first);
    if (found.size() == limit || turn->second.interaction.user != user ||
        job == store_.jobs.end()) {
      continue;
    }
    const JobStatus& status = job->second.status;
    const bool open = IsPending(status.state) || status.state == JobState::kDead;
    if (open && (status.tiers_done & TierBit(Tier::kEpisodic)) == 0) {
      found.push_back(turn->first);
    }
  }
  return found;
}

Result<std::vector<Interaction>> InMemoryJournal::ReadAt(const UserKey& user,
                                                         std::span<const std::int64_t> sequences,
                                                         Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  std::vector<Interaction> found;
  for (const std::int64_t sequence : sequences) {
    const auto turn = store_.turns.find(sequence);
    if (turn != store_.turns.end() && turn->second.interaction.user == user) {
      found.push_back(turn->second.interaction);
    }
  }
  return found;
}

Result<Freshness> InMemoryJournal::ReadFreshness(const UserKey& user, Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  return FreshnessOf(user);
}

Result<RecallOpening> InMemoryJournal::OpenRecall(const RecallOpeningQuery& query,
                                                  Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  RecallOpening opening{.freshness = FreshnessOf(query.user),
                        .unreflected = UnreflectedOf(query.user, query.unreflected_max),
                        .session = {}};
  if (query.session_id) {
    SessionTail& tail = opening.session.emplace();
    for (auto turn = store_.turns.rbegin(); turn != store_.turns.rend(); ++turn) {
      const Interaction& said = turn->second.interaction;
      if (said.user == query.user && said.session_id == *query.session_id &&
          tail.sequences.size() < kSessionTailMax) {
        tail.sequences.push_back(turn->first);
      }
    }
  }
  return opening;
}

Freshness InMemoryJournal::FreshnessOf(const UserKey& user) {
  Freshness freshness;
  if (const auto erased = store_.erased_at.find(user); erased != store_.erased_at.end()) {
    freshness.forgotten_at = FromUnixMillis(erased->second);
  }
  for (const auto& [seq, turn] : store_.turns) {
    if (turn.interaction.user != user) {
      continue;
    }
    const JobStatus status = StatusOf(seq, turn);
    if (status.state == JobState::kCancelled) {
      continue;
    }
    ++freshness.accepted;
    freshness.reflected += status.state == JobState::kDone ? 1 : 0;
    freshness.dead += status.state == JobState::kDead ? 1 : 0;
    if (IsPending(status.state)) {
      ++freshness.pending;
      if (!freshness.oldest_pending_at.has_value()) {
        freshness.oldest_pending_at = status.accepted_at;
      }
    }
  }
  return freshness;
}

Result<JournalErasure> InMemoryJournal::EraseUser(const UserKey& user, Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  JournalErasure erasure;
  for (const auto& [seq, job] : store_.jobs) {
    if (job.status.job.user != user) {
      continue;
    }
    if (IsPending(job.status.state)) {
      ++erasure.jobs_cancelled;
    } else if (job.status.state == JobState::kDead) {
      ++erasure.dead_letters;
    } else {
      ++erasure.jobs_finished;
    }
    erasure.plans += job.plan.empty() ? 0U : 1U;
    erasure.attempts += job.status.history.size();
  }
  erasure.turns = std::erase_if(
      store_.turns, [&user](const auto& turn) { return turn.second.interaction.user == user; });
  std::erase_if(store_.jobs,
                [&user](const auto& job) { return job.second.status.job.user == user; });
  erasure.jobs_finished += std::erase_if(
      store_.former_jobs, [&user](const auto& job) { return job.second.job.user == user; });
  erasure.answers = std::erase_if(
      store_.answers, [&user](const auto& answer) { return answer.second.user == user; });
  erasure.shadow_plans =
      std::erase_if(store_.shadow_runs, [&user](const ShadowRun& run) { return run.user == user; });
  store_.EndLease(user);
  // The wall's time, but later than the last one's.
  std::int64_t at = ToUnixMillis(store_.clock.Now());
  for (const auto& [other, erased_at] : store_.erased_at) {
    at = std::max(at, erased_at + 1);
  }
  store_.erased_at[user] = at;
  erasure.forgotten_at = FromUnixMillis(store_.erased_at[user]);
  erasure.last_sequence = store_.last_sequence;
  return erasure;
}

Result<std::optional<StoredAnswer>> InMemoryJournal::FindAnswer(std::string_view tenant,
                                                                std::string_view idempotency_key,
                                                                Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  const auto found = store_.answers.find({std::string(tenant), std::string(idempotency_key)});
  const std::int64_t oldest = store_.Now() - store_.options.answer_retention.count();
  if (found == store_.answers.end() || ToUnixMillis(found->second.answer.stored_at) <= oldest) {
    return std::optional<StoredAnswer>();
  }
  return std::optional<StoredAnswer>(found->second.answer);
}

Status InMemoryJournal::SaveAnswer(const UserKey& user, std::string_view idempotency_key,
                                   const StoredAnswer& answer, Deadline /*deadline*/) {
  MutexLock lock(store_.mutex);
  const std::pair<std::string, std::string> key(user.tenant, std::string(idempotency_key));
  const std::int64_t now = store_.Now();
  if (const auto erased = store_.erased_at.find(user);
      erased != store_.erased_at.end() && answer.began_at != Timestamp{} &&
      ToUnixMillis(answer.began_at) < erased->second) {
    return {};
  }
  const auto found = store_.answers.find(key);
  if (found != store_.answers.end() && ToUnixMillis(found->second.answer.stored_at) >
                                           now - store_.options.answer_retention.count()) {
    return {};
  }
  InMemoryLedgerStore::Answer stored{.user = user, .answer = answer};
  stored.answer.stored_at = FromUnixMillis(now);
  store_.answers[key] = std::move(stored);
  return {};
}

}  // namespace umbranet
