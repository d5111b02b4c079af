#include "umbranet/memory/spooling_journal.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "umbranet/base/crash_point.h"

namespace umbranet {
namespace {

constexpr std::string_view kSpoolCursor = "spool:";

void MoveSequences(std::vector<Interaction>& turns) {
  for (Interaction& turn : turns) {
    turn.sequence += kSpooledSequences;
  }
}

// Those of `spooled` that `turns` lack, behind them: a turn that was forwarded in between is in
// both, and the journal's is the one that stays.
void AddSpooled(std::vector<Interaction>& turns, std::vector<Interaction> spooled) {
  std::set<std::string> known;
  for (const Interaction& turn : turns) {
    known.insert(turn.interaction_id);
  }
  MoveSequences(spooled);
  for (Interaction& turn : spooled) {
    if (!known.contains(turn.interaction_id)) {
      turns.push_back(std::move(turn));
    }
  }
}

bool HasAll(const std::vector<Interaction>& turns, std::span<const std::string> ids) {
  return std::all_of(ids.begin(), ids.end(), [&](const std::string& id) {
    return std::any_of(turns.begin(), turns.end(),
                       [&](const Interaction& turn) { return turn.interaction_id == id; });
  });
}

}  // namespace

bool LeavesTurnsToTheSpool(const Error& error) {
  switch (error.code) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kDeadlineExceeded:
    case ErrorCode::kStorageFull:
    case ErrorCode::kResourceExhausted:
      return true;
    default:
      return false;
  }
}

SpoolingJournal::SpoolingJournal(const Clock& clock, Journal& journal, TurnSpool& spool,
                                 SpoolBook& book, Options options)
    : clock_(clock), journal_(journal), spool_(spool), book_(book), options_(options) {}

Status SpoolingJournal::CheckThere() const {
  if (book_.JournalAway()) {
    return Error{ErrorCode::kUnavailable, "journal: its server is away", Millis{1'000}};
  }
  return {};
}

void SpoolingJournal::Note(const Error& error) {
  if (LeavesTurnsToTheSpool(error)) {
    book_.JournalIsAway();
  }
}

bool SpoolingJournal::HoldsAnyOf(std::span<const Interaction> turns) const {
  return book_.Waiting() > 0 &&
         std::any_of(turns.begin(), turns.end(),
                     [this](const Interaction& turn) { return book_.Holds(turn.user); });
}

Result<std::vector<AcceptedTurn>> SpoolingJournal::Accept(std::span<const Interaction> turns,
                                                          RunMode mode,
                                                          std::string_view traceparent,
                                                          Deadline deadline) {
  if (!book_.JournalAway() && !HoldsAnyOf(turns)) {
    auto accepted =
        journal_.Accept(turns, mode, traceparent, deadline.Within(clock_, options_.patience));
    if (accepted.ok() || !LeavesTurnsToTheSpool(accepted.error())) {
      return accepted;
    }
    Note(accepted.error());
  }
  return Spool(turns, mode, traceparent, deadline);
}

Result<std::vector<AcceptedTurn>> SpoolingJournal::Spool(std::span<const Interaction> turns,
                                                         RunMode mode, std::string_view traceparent,
                                                         Deadline deadline) {
  // Counted before they are there, so that a user's next turn cannot overtake them.
  for (const Interaction& turn : turns) {
    book_.Add(turn.user, 1);
  }
  auto accepted = spool_.turns().Accept(turns, mode, traceparent, deadline);
  UMBRANET_CRASH_POINT_PASSED("spool.after_commit");
  for (std::size_t i = 0; i < turns.size(); ++i) {
    if (!accepted.ok() || (*accepted)[i].duplicate) {
      book_.Remove(turns[i].user, 1);
    }
  }
  if (!accepted.ok()) {
    return accepted;
  }
  for (AcceptedTurn& turn : *accepted) {
    turn.sequence += kSpooledSequences;
    // One that was forwarded already is where it belongs.
    turn.state = turn.state == JobState::kDone ? JobState::kReady : JobState::kSpooled;
  }
  return accepted;
}

Result<std::vector<Interaction>> SpoolingJournal::Read(const UserKey& user,
                                                       std::span<const std::string> interaction_ids,
                                                       Deadline deadline) {
  std::vector<Interaction> spooled;
  if (book_.Holds(user)) {
    // Before the journal: what is forwarded meanwhile is then in both, and never in neither.
    UMBRANET_ASSIGN_OR_RETURN(spooled, spool_.turns().Read(user, interaction_ids, deadline));
    if (HasAll(spooled, interaction_ids)) {
      MoveSequences(spooled);
      return spooled;
    }
  }
  UMBRANET_RETURN_IF_ERROR(CheckThere());
  UMBRANET_ASSIGN_OR_RETURN(std::vector<Interaction> turns,
                            journal_.Read(user, interaction_ids, deadline));
  AddSpooled(turns, std::move(spooled));
  return turns;
}

Result<JournalPage> SpoolingJournal::List(const UserKey& user, std::string_view cursor,
                                          std::size_t limit, Deadline deadline) {
  JournalPage spooled;
  const bool in_spool = cursor.starts_with(kSpoolCursor);
  if (in_spool || book_.Holds(user)) {
    const std::string_view inner = in_spool ? cursor.substr(kSpoolCursor.size()) : "";
    UMBRANET_ASSIGN_OR_RETURN(spooled, spool_.turns().List(user, inner, limit, deadline));
  }
  JournalPage page;
  if (!in_spool) {
    UMBRANET_RETURN_IF_ERROR(CheckThere());
    UMBRANET_ASSIGN_OR_RETURN(page, journal_.List(user, cursor, limit, deadline));
    if (!page.next_cursor.empty() || spooled.entries.empty()) {
      return page;
    }
  }
  if (page.entries.size() + spooled.entries.size() > limit) {
    page.next_cursor = kSpoolCursor;
    return page;
  }
  std::set<std::string> known;
  for (const JournalEntry& entry : page.entries) {
    known.insert(entry.interaction.interaction_id);
  }
  for (JournalEntry& entry : spooled.entries) {
    if (entry.reflection.state == JobState::kReady &&
        !known.contains(entry.interaction.interaction_id)) {
      entry.interaction.sequence += kSpooledSequences;
      entry.reflection.state = JobState::kSpooled;
      page.entries.push_back(std::move(entry));
    }
  }
  if (!spooled.next_cursor.empty()) {
    page.next_cursor = std::string(kSpoolCursor) + spooled.next_cursor;
  }
  return page;
}

Result<std::vector<Interaction>> SpoolingJournal::Recent(const UserKey& user,
                                                         std::string_view session_id,
                                                         std::int64_t before_sequence,
                                                         std::size_t limit, Deadline deadline) {
  std::vector<Interaction> spooled;
  const bool among_spooled = before_sequence == 0 || before_sequence > kSpooledSequences;
  if (among_spooled && book_.Holds(user)) {
    const std::int64_t before = before_sequence == 0 ? 0 : before_sequence - kSpooledSequences;
    UMBRANET_ASSIGN_OR_RETURN(spooled,
                              spool_.turns().Recent(user, session_id, before, limit, deadline));
  }
  UMBRANET_RETURN_IF_ERROR(CheckThere());
  UMBRANET_ASSIGN_OR_RETURN(
      std::vector<Interaction> turns,
      journal_.Recent(user, session_id, before_sequence > kSpooledSequences ? 0 : before_sequence,
                      limit, deadline));
  AddSpooled(turns, std::move(spooled));
  if (turns.size() > limit) {
    turns.erase(turns.begin(), turns.end() - static_cast<std::ptrdiff_t>(limit));
  }
  return turns;
}

Result<std::vector<std::int64_t>> SpoolingJournal::Unreflected(const UserKey& user,
                                                               std::size_t limit,
                                                               Deadline deadline) {
  std::vector<std::int64_t> sequences;
  if (book_.Holds(user)) {
    UMBRANET_ASSIGN_OR_RETURN(sequences, spool_.turns().Unreflected(user, limit, deadline));
    for (std::int64_t& sequence : sequences) {
      sequence += kSpooledSequences;
    }
  }
  UMBRANET_RETURN_IF_ERROR(CheckThere());
  UMBRANET_ASSIGN_OR_RETURN(const std::vector<std::int64_t> stored,
                            journal_.Unreflected(user, limit, deadline));
  sequences.insert(sequences.end(), stored.begin(), stored.end());
  sequences.resize(std::min(sequences.size(), limit));
  return sequences;
}

Result<std::vector<Interaction>> SpoolingJournal::ReadAt(const UserKey& user,
                                                         std::span<const std::int64_t> sequences,
                                                         Deadline deadline) {
  std::vector<std::int64_t> inner;
  std::vector<std::int64_t> stored;
  for (const std::int64_t sequence : sequences) {
    if (sequence > kSpooledSequences) {
      inner.push_back(sequence - kSpooledSequences);
    } else {
      stored.push_back(sequence);
    }
  }
  if (inner.empty()) {
    UMBRANET_RETURN_IF_ERROR(CheckThere());
    return journal_.ReadAt(user, stored, deadline);
  }
  UMBRANET_ASSIGN_OR_RETURN(std::vector<Interaction> found,
                            spool_.turns().ReadAt(user, inner, deadline));
  MoveSequences(found);
  if (!stored.empty()) {
    UMBRANET_RETURN_IF_ERROR(CheckThere());
    UMBRANET_ASSIGN_OR_RETURN(std::vector<Interaction> more,
                              journal_.ReadAt(user, stored, deadline));
    std::move(more.begin(), more.end(), std::back_inserter(found));
  }
  std::map<std::int64_t, std::size_t> place;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    place.emplace(sequences[i], i);
  }
  std::sort(found.begin(), found.end(), [&](const Interaction& a, const Interaction& b) {
    return place[a.sequence] < place[b.sequence];
  });
  return found;
}

Result<Freshness> SpoolingJournal::ReadFreshness(const UserKey& user, Deadline deadline) {
  Freshness spooled;
  if (book_.Holds(user)) {
    UMBRANET_ASSIGN_OR_RETURN(spooled, spool_.turns().ReadFreshness(user, deadline));
  }
  UMBRANET_RETURN_IF_ERROR(CheckThere());
  UMBRANET_ASSIGN_OR_RETURN(Freshness freshness, journal_.ReadFreshness(user, deadline));
  freshness.accepted += spooled.pending;
  freshness.pending += spooled.pending;
  if (spooled.oldest_pending_at &&
      (!freshness.oldest_pending_at || *spooled.oldest_pending_at < *freshness.oldest_pending_at)) {
    freshness.oldest_pending_at = spooled.oldest_pending_at;
  }
  return freshness;
}

Result<RecallOpening> SpoolingJournal::OpenRecall(const RecallOpeningQuery& query,
                                                  Deadline deadline) {
  if (book_.Holds(query.user)) {
    return Journal::OpenRecall(query, deadline);  // The rest is asked of both, and put together.
  }
  UMBRANET_RETURN_IF_ERROR(CheckThere());
  return journal_.OpenRecall(query, deadline);
}

Result<JournalErasure> SpoolingJournal::EraseUser(const UserKey& user, Deadline deadline) {
  // The spool first, whether anything is known to wait there or not: an answer may be. What is
  // being forwarded just now meets the tombstone of the journal, or is removed with it.
  UMBRANET_ASSIGN_OR_RETURN(const JournalErasure spooled, spool_.turns().EraseUser(user, deadline));
  book_.Remove(user, spooled.jobs_cancelled);
  UMBRANET_RETURN_IF_ERROR(CheckThere());
  UMBRANET_ASSIGN_OR_RETURN(JournalErasure erasure, journal_.EraseUser(user, deadline));
  // Those that were forwarded are counted there.
  erasure.spooled = spooled.jobs_cancelled + spooled.dead_letters;
  erasure.turns += erasure.spooled;
  erasure.jobs_cancelled += spooled.jobs_cancelled;
  erasure.dead_letters += spooled.dead_letters;
  erasure.answers += spooled.answers;
  return erasure;
}

Result<std::optional<StoredAnswer>> SpoolingJournal::FindAnswer(std::string_view tenant,
                                                                std::string_view idempotency_key,
                                                                Deadline deadline) {
  if (!book_.JournalAway()) {
    auto found =
        journal_.FindAnswer(tenant, idempotency_key, deadline.Within(clock_, options_.patience));
    if (found.ok() ? found->has_value() : !LeavesTurnsToTheSpool(found.error())) {
      return found;
    }
    if (!found.ok()) {
      Note(found.error());
    }
  }
  return spool_.turns().FindAnswer(tenant, idempotency_key, deadline);
}

Status SpoolingJournal::SaveAnswer(const UserKey& user, std::string_view idempotency_key,
                                   const StoredAnswer& answer, Deadline deadline) {
  if (!book_.JournalAway()) {
    Status saved = journal_.SaveAnswer(user, idempotency_key, answer,
                                       deadline.Within(clock_, options_.patience));
    if (saved.ok() || !LeavesTurnsToTheSpool(saved.error())) {
      return saved;
    }
    Note(saved.error());
  }
  return spool_.turns().SaveAnswer(user, idempotency_key, answer, deadline);
}

}  // namespace umbranet
