// Goal: every journal keeps the promises written in ports/journal.h.
// Method: one suite, run against each engine of LedgerEngines(). Jobs are moved along through the
// ledger that shares the journal's data.
// Deliberate fault: forgetting a user leaves his lease. It turned
// ForgettingAUserTakesTheLeaseFromWhoeverWorksForHim and AForgottenUserStartsAfresh red.
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/ledger_engines.h"

namespace umbranet {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class JournalContract : public LedgerFixture {
 protected:
  std::vector<Interaction> Read(std::string_view user_id, const std::vector<std::string>& ids) {
    return journal().Read(User(user_id), ids, Deadline::Never()).value();
  }

  std::vector<std::string> ListIds(std::string_view user_id) {
    std::vector<std::string> ids;
    const JournalPage page = journal().List(User(user_id), "", 1000, Deadline::Never()).value();
    for (const JournalEntry& entry : page.entries) {
      ids.push_back(entry.interaction.interaction_id);
    }
    return ids;
  }

  std::vector<std::string> RecentIds(std::string_view session_id, std::int64_t before,
                                     std::size_t limit) {
    return Ids(journal().Recent(User("ana"), session_id, before, limit, Deadline::Never()).value());
  }

  std::vector<std::string> UnreflectedIds(std::size_t limit = 100) {
    const auto waiting = journal().Unreflected(User("ana"), limit, Deadline::Never()).value();
    return Ids(journal().ReadAt(User("ana"), waiting, Deadline::Never()).value());
  }

  std::optional<StoredAnswer> FindAnswer(std::string_view key,
                                         std::string_view tenant = kDefaultTenant) {
    return journal().FindAnswer(tenant, key, Deadline::Never()).value();
  }

  void SaveAnswer(std::string_view key, std::string_view body, const UserKey& user) {
    const StoredAnswer answer{
        .fingerprint = "f", .http_status = 201, .body = std::string(body), .stored_at = {}};
    ASSERT_TRUE(journal().SaveAnswer(user, key, answer, Deadline::Never()).ok());
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, JournalContract, testing::ValuesIn(LedgerEngines()),
                         [](const auto& engine) { return engine.param.name; });

TEST_P(JournalContract, AnAcceptedTurnHasAReadyJob) {
  const AcceptedTurn turn = AcceptOne(Turn("t1"));
  EXPECT_EQ(turn.interaction_id, "t1");
  EXPECT_EQ(turn.job_id, MakeJobId(User("ana"), "t1"));
  EXPECT_FALSE(turn.duplicate);
  EXPECT_EQ(turn.state, JobState::kReady);
  EXPECT_GT(turn.sequence, 0);
  const JobStatus status = Find(turn.job_id);
  EXPECT_EQ(status.state, JobState::kReady);
  EXPECT_EQ(status.job.interaction_id, "t1");
  EXPECT_EQ(status.job.user, User("ana"));
  EXPECT_EQ(status.accepted_at, ManualClock::kStart);
}

TEST_P(JournalContract, ATurnIsReadAsItWasAccepted) {
  Interaction turn = Turn("t1");
  turn.session_id = "s/1";
  turn.speaker = "Caroline \"C\"";
  turn.occurred_at = ManualClock::kStart - hours(5000);
  turn.accepted_at = ManualClock::kStart - milliseconds(3);
  turn.user_message = std::string("a\0b", 3) + " \xF0\x9F\x8D\x85 ' OR 1=1 --\n";
  turn.assistant_response = "";
  turn.priority = Priority::kHigh;
  turn.origin = Origin::kOfflineChat;
  turn.metadata = R"({"k": "v"})";
  AcceptOne(turn);
  const std::vector<Interaction> read = Read("ana", {"t1"});
  ASSERT_THAT(read, SizeIs(1));
  EXPECT_EQ(read[0].user, turn.user);
  EXPECT_EQ(read[0].session_id, turn.session_id);
  EXPECT_EQ(read[0].speaker, turn.speaker);
  EXPECT_EQ(read[0].occurred_at, turn.occurred_at);
  EXPECT_EQ(read[0].accepted_at, turn.accepted_at);
  EXPECT_EQ(read[0].user_message, turn.user_message);
  EXPECT_EQ(read[0].assistant_response, turn.assistant_response);
  EXPECT_EQ(read[0].priority, turn.priority);
  EXPECT_EQ(read[0].origin, turn.origin);
  EXPECT_EQ(read[0].metadata, turn.metadata);
  EXPECT_EQ(Find(MakeJobId(turn.user, "t1")).job.priority, Priority::kHigh);
}

TEST_P(JournalContract, ALongTurnIsReadWhole) {
  Interaction turn = Turn("t1");
  turn.user_message = std::string(1'000'000, 'x') + "end";
  AcceptOne(turn);
  EXPECT_EQ(Read("ana", {"t1"}).at(0).user_message, turn.user_message);
}

TEST_P(JournalContract, ModeAndTraceGoIntoTheJob) {
  const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const auto accepted =
      journal()
          .Accept(std::vector<Interaction>{Turn("t1")}, RunMode::kInline, trace, Deadline::Never())
          .value();
  const JobStatus status = Find(accepted.at(0).job_id);
  EXPECT_EQ(status.job.mode, RunMode::kInline);
  EXPECT_EQ(status.job.traceparent, trace);
}

TEST_P(JournalContract, ATurnWithoutATimeOfAcceptanceGetsThePresent) {
  AcceptOne(Turn("t1"));
  EXPECT_EQ(Read("ana", {"t1"}).at(0).accepted_at, ManualClock::kStart);
}

TEST_P(JournalContract, SequencesRiseInTheOrderOfAcceptance) {
  const std::vector<AcceptedTurn> turns = Accept({Turn("t2"), Turn("t1"), Turn("t3", "bo")});
  ASSERT_THAT(turns, SizeIs(3));
  EXPECT_EQ(turns[0].interaction_id, "t2");
  EXPECT_LT(turns[0].sequence, turns[1].sequence);
  EXPECT_LT(turns[1].sequence, turns[2].sequence);
  EXPECT_EQ(Read("ana", {"t2"}).at(0).sequence, turns[0].sequence);
}

TEST_P(JournalContract, ATurnThatIsHandedInAgainIsLeftAsItIs) {
  const AcceptedTurn first = AcceptOne(Turn("t1"));
  Interaction other = Turn("t1");
  other.user_message = "something else";
  const AcceptedTurn second = AcceptOne(other);
  EXPECT_TRUE(second.duplicate);
  EXPECT_EQ(second.sequence, first.sequence);
  EXPECT_EQ(second.job_id, first.job_id);
  EXPECT_EQ(Read("ana", {"t1"}).at(0).user_message, Turn("t1").user_message);
  EXPECT_EQ(FreshnessOf("ana").accepted, 1U);
  ReflectNext();
  EXPECT_EQ(AcceptOne(Turn("t1")).state, JobState::kDone);
  EXPECT_THAT(Ids(Claim()), IsEmpty());
}

TEST_P(JournalContract, ATurnTwiceInOneCallIsStoredOnce) {
  const std::vector<AcceptedTurn> turns = Accept({Turn("t1"), Turn("t2"), Turn("t1")});
  EXPECT_FALSE(turns[0].duplicate);
  EXPECT_TRUE(turns[2].duplicate);
  EXPECT_EQ(turns[2].sequence, turns[0].sequence);
  EXPECT_THAT(ListIds("ana"), ElementsAre("t1", "t2"));
}

TEST_P(JournalContract, TheSameIdOfAnotherUserIsAnotherTurn) {
  Interaction north = Turn("t1");
  north.user.tenant = "north";
  const std::vector<AcceptedTurn> turns = Accept({Turn("t1"), Turn("t1", "bo"), north});
  EXPECT_FALSE(turns[1].duplicate);
  EXPECT_FALSE(turns[2].duplicate);
  EXPECT_NE(turns[0].job_id, turns[1].job_id);
  EXPECT_NE(turns[0].job_id, turns[2].job_id);
}

TEST_P(JournalContract, ADuplicateIsRecognisedWhenItsJobIsLongGone) {
  const AcceptedTurn done = AcceptOne(Turn("t1"));
  ReflectNext();
  const AcceptedTurn dead = AcceptOne(Turn("t2"));
  FailNext(FailureKind::kPermanent);
  clock().Advance(std::chrono::days(31));
  ASSERT_EQ(Sweep().purged, 2U);
  const std::vector<AcceptedTurn> again = Accept({Turn("t1"), Turn("t2")});
  EXPECT_TRUE(again[0].duplicate);
  EXPECT_EQ(again[0].state, JobState::kDone);
  EXPECT_EQ(again[0].job_id, done.job_id);
  EXPECT_TRUE(again[1].duplicate);
  EXPECT_EQ(again[1].state, JobState::kDead);
  EXPECT_EQ(again[1].job_id, dead.job_id);
  const Freshness freshness = FreshnessOf("ana");
  EXPECT_EQ(freshness.accepted, 2U);
  EXPECT_EQ(freshness.reflected, 1U);
  EXPECT_EQ(freshness.dead, 1U);
  const JournalPage page = journal().List(User("ana"), "", 10, Deadline::Never()).value();
  EXPECT_EQ(page.entries.at(0).reflection.state, JobState::kDone);
  EXPECT_EQ(page.entries.at(0).reflection.job.job_id, done.job_id);
  EXPECT_EQ(page.entries.at(1).reflection.state, JobState::kDead);
}

TEST_P(JournalContract, TurnsAreReadInTheOrderOfTheJournalEachOnce) {
  Accept({Turn("t1"), Turn("t2"), Turn("t3"), Turn("t9", "bo")});
  EXPECT_THAT(Ids(Read("ana", {"t3", "nothing", "t1", "t9", "t3"})), ElementsAre("t1", "t3"));
  EXPECT_THAT(Read("nobody", {"t1"}), IsEmpty());
}

TEST_P(JournalContract, PagesHoldEveryTurnOnceOldestFirst) {
  std::vector<Interaction> turns;
  std::vector<std::string> expected;
  for (int i = 0; i < 7; ++i) {
    turns.push_back(Turn("t" + std::to_string(i)));
    turns.push_back(Turn("b" + std::to_string(i), "bo"));
    expected.push_back("t" + std::to_string(i));
  }
  Accept(turns);
  std::vector<std::string> seen;
  std::string cursor;
  std::vector<std::size_t> sizes;
  do {
    const JournalPage page = journal().List(User("ana"), cursor, 3, Deadline::Never()).value();
    sizes.push_back(page.entries.size());
    for (const JournalEntry& entry : page.entries) {
      seen.push_back(entry.interaction.interaction_id);
    }
    cursor = page.next_cursor;
  } while (!cursor.empty());
  EXPECT_EQ(seen, expected);
  EXPECT_THAT(sizes, ElementsAre(3U, 3U, 1U));
}

TEST_P(JournalContract, APageThatEndsWithTheLastTurnHasNoNext) {
  Accept({Turn("t1"), Turn("t2")});
  EXPECT_EQ(journal().List(User("ana"), "", 2, Deadline::Never()).value().next_cursor, "");
  EXPECT_THAT(journal().List(User("nobody"), "", 2, Deadline::Never()).value().entries, IsEmpty());
}

TEST_P(JournalContract, ABadCursorIsRefused) {
  for (const std::string_view cursor : {"what", "1x", "-1", "99999999999999999999"}) {
    EXPECT_EQ(journal().List(User("ana"), cursor, 2, Deadline::Never()).error().code,
              ErrorCode::kInvalidArgument)
        << cursor;
  }
}

TEST_P(JournalContract, AListTellsHowFarReflectionIs) {
  Accept({Turn("t1"), Turn("t2"), Turn("t3")});
  const ClaimedBatch batch = Claim(1);
  MarkAll(batch);
  Settle(batch);
  FailNext(FailureKind::kTransient, "model timed out", "semantic");
  const JournalPage page = journal().List(User("ana"), "", 10, Deadline::Never()).value();
  ASSERT_THAT(page.entries, SizeIs(3));
  EXPECT_EQ(page.entries[0].reflection.state, JobState::kDone);
  EXPECT_EQ(page.entries[1].reflection.state, JobState::kRetryWait);
  EXPECT_EQ(page.entries[1].reflection.last_error, "model timed out");
  EXPECT_EQ(page.entries[1].reflection.job.interaction_id, "t2");
  EXPECT_THAT(page.entries[1].reflection.history, IsEmpty());
  EXPECT_EQ(page.entries[2].reflection.state, JobState::kReady);
}

TEST_P(JournalContract, RecentTurnsOfASessionAreItsLatestOldestFirst) {
  std::vector<Interaction> turns;
  for (int i = 0; i < 6; ++i) {
    Interaction turn = Turn("t" + std::to_string(i));
    turn.session_id = i % 2 == 0 ? "even" : "odd";
    turns.push_back(turn);
  }
  Interaction other = Turn("b", "bo");
  other.session_id = "even";
  turns.push_back(other);
  const std::vector<AcceptedTurn> accepted = Accept(turns);
  EXPECT_THAT(RecentIds("even", 0, 2), ElementsAre("t2", "t4"));
  EXPECT_THAT(RecentIds("even", 0, 10), ElementsAre("t0", "t2", "t4"));
  EXPECT_THAT(RecentIds("even", accepted[4].sequence, 1), ElementsAre("t2"));
  EXPECT_THAT(RecentIds("odd", accepted[1].sequence, 5), IsEmpty());
  EXPECT_THAT(RecentIds("none", 0, 5), IsEmpty());
}

TEST_P(JournalContract, ATurnIsUnreflectedUntilItsEpisodesAreStored) {
  Accept({Turn("t1"), Turn("t2"), Turn("t3"), Turn("b", "bo")});
  EXPECT_THAT(UnreflectedIds(), ElementsAre("t3", "t2", "t1"));
  EXPECT_THAT(UnreflectedIds(2), ElementsAre("t3", "t2"));
  const ClaimedBatch batch = Claim(1);
  EXPECT_THAT(UnreflectedIds(), ElementsAre("t3", "t2", "t1"));
  MarkAll(batch, TierBit(Tier::kSemantic));
  EXPECT_THAT(UnreflectedIds(), ElementsAre("t3", "t2", "t1"));
  MarkAll(batch, TierBit(Tier::kEpisodic));
  EXPECT_THAT(UnreflectedIds(), ElementsAre("t3", "t2"));
  MarkAll(batch);
  Settle(batch);
  EXPECT_THAT(UnreflectedIds(), ElementsAre("t3", "t2"));
}

TEST_P(JournalContract, ReadsTurnsByTheirSequencesInTheOrderGiven) {
  const auto accepted = Accept({Turn("t1"), Turn("t2"), Turn("t3"), Turn("b", "bo")});
  const auto read = [&](const std::vector<std::int64_t>& sequences) {
    return journal().ReadAt(User("ana"), sequences, Deadline::Never()).value();
  };
  EXPECT_THAT(Ids(read({accepted[2].sequence, accepted[0].sequence})), ElementsAre("t3", "t1"));
  EXPECT_THAT(Ids(read({accepted[1].sequence, accepted[3].sequence, 0, 1'000'000})),
              ElementsAre("t2"))
      << "another user's and unknown ones are left out";
  EXPECT_THAT(read({}), IsEmpty());
}

TEST_P(JournalContract, TurnsWhoseJobsFailedAreUnreflected) {
  Accept({Turn("t1"), Turn("t2"), Turn("t3")});
  FailNext(FailureKind::kPermanent);
  FailNext(FailureKind::kTransient);
  EXPECT_THAT(UnreflectedIds(), ElementsAre("t3", "t2", "t1"));
}

TEST_P(JournalContract, FreshnessAddsUpInEveryState) {
  EXPECT_EQ(FreshnessOf("ana").accepted, 0U);
  Accept({Turn("t1"), Turn("t2")});
  clock().Advance(seconds(1));
  Accept({Turn("t3"), Turn("t4"), Turn("b", "bo")});
  const auto expect = [this](std::uint64_t reflected, std::uint64_t pending, std::uint64_t dead,
                             std::optional<Timestamp> oldest) {
    const Freshness freshness = FreshnessOf("ana");
    EXPECT_EQ(freshness.accepted, reflected + pending + dead);
    EXPECT_EQ(freshness.reflected, reflected);
    EXPECT_EQ(freshness.pending, pending);
    EXPECT_EQ(freshness.dead, dead);
    EXPECT_EQ(freshness.oldest_pending_at, oldest);
  };
  const Timestamp start = ManualClock::kStart;
  expect(0, 4, 0, start);
  const ClaimedBatch batch = Claim(1);
  expect(0, 4, 0, start);
  MarkAll(batch);
  Settle(batch);
  expect(1, 3, 0, start);
  FailNext(FailureKind::kTransient);
  expect(1, 3, 0, start);
  clock().Advance(seconds(40));
  Sweep();
  FailNext(FailureKind::kPermanent);
  expect(1, 2, 1, start + seconds(1));
  ASSERT_EQ(ledger().RequeueDead(MakeJobId(User("ana"), "t2"), "olga", Deadline::Never()).value(),
            1U);
  expect(1, 3, 0, start);
  const auto again =
      ledger().ClaimJob(MakeJobId(User("ana"), "t2"), Options(), Deadline::Never()).value();
  ASSERT_TRUE(again.has_value());
  Settle(*again, {Failure(again->jobs.at(0).job.job_id, FailureKind::kPermanent)});
  ASSERT_EQ(
      ledger().DiscardDead(MakeJobId(User("ana"), "t2"), "olga", "", Deadline::Never()).value(),
      1U);
  expect(1, 2, 0, start + seconds(1));
  ReflectNext();
  expect(3, 0, 0, std::nullopt);
}

TEST_P(JournalContract, AForgottenUserLeavesNothingBehind) {
  Accept({Turn("t1"), Turn("t2"), Turn("t3"), Turn("b", "bo")});
  const ClaimedBatch first = Claim(1);
  MarkAll(first);
  Settle(first);
  SaveAnswer("key", "body", User("ana"));
  SaveAnswer("other", "body", User("bo"));
  const JournalErasure erasure = journal().EraseUser(User("ana"), Deadline::Never()).value();
  EXPECT_EQ(erasure.turns, 3U);
  EXPECT_EQ(erasure.jobs_cancelled, 2U);
  EXPECT_THAT(ListIds("ana"), IsEmpty());
  EXPECT_THAT(Read("ana", {"t1", "t2", "t3"}), IsEmpty());
  EXPECT_THAT(UnreflectedIds(), IsEmpty());
  EXPECT_THAT(RecentIds(kDefaultSession, 0, 10), IsEmpty());
  EXPECT_EQ(FreshnessOf("ana").accepted, 0U);
  EXPECT_FALSE(FindAnswer("key").has_value());
  for (const std::string id : {"t1", "t2", "t3"}) {
    EXPECT_FALSE(ledger()
                     .Find(kDefaultTenant, MakeJobId(User("ana"), id), Deadline::Never())
                     .value()
                     .has_value());
  }
  EXPECT_THAT(ListIds("bo"), ElementsAre("b"));
  EXPECT_TRUE(FindAnswer("other").has_value());
  EXPECT_EQ(Ids(Claim()).size(), 1U);
}

TEST_P(JournalContract, ForgettingAUserTakesTheLeaseFromWhoeverWorksForHim) {
  Accept({Turn("t1")});
  const ClaimedBatch batch = Claim();
  EXPECT_EQ(journal().EraseUser(User("ana"), Deadline::Never()).value().jobs_cancelled, 1U);
  const std::vector<TierProgress> progress = {{batch.jobs.at(0).job.job_id, kAllReflectedTiers}};
  EXPECT_EQ(ledger().MarkTiersDone(batch.lease, progress, Deadline::Never()).error().code,
            ErrorCode::kAborted);
  EXPECT_EQ(ledger().Settle(batch.lease, {}, Deadline::Never()).error().code, ErrorCode::kAborted);
}

TEST_P(JournalContract, AForgottenUserStartsAfresh) {
  const AcceptedTurn before = AcceptOne(Turn("t1"));
  Claim();
  ASSERT_TRUE(journal().EraseUser(User("ana"), Deadline::Never()).ok());
  Interaction now = Turn("t1");
  now.accepted_at = clock().Now();
  const AcceptedTurn after = AcceptOne(now);
  EXPECT_FALSE(after.duplicate);
  EXPECT_GT(after.sequence, before.sequence);
  EXPECT_THAT(Ids(Claim()), ElementsAre(after.job_id));
}

TEST_P(JournalContract, WhatWasAcceptedBeforeAUserWasForgottenCannotComeBack) {
  Interaction late = Turn("t2");
  late.accepted_at = clock().Now();
  clock().Advance(seconds(1));
  ASSERT_TRUE(journal().EraseUser(User("ana"), Deadline::Never()).ok());
  const auto refused = journal().Accept(std::vector<Interaction>{Turn("t1", "bo"), late},
                                        RunMode::kBackground, "", Deadline::Never());
  EXPECT_EQ(refused.error().code, ErrorCode::kAborted);
  EXPECT_THAT(ListIds("ana"), IsEmpty());
  EXPECT_THAT(ListIds("bo"), IsEmpty()) << "all or none";
  EXPECT_THAT(Ids(Claim()), IsEmpty());
}

TEST_P(JournalContract, ATurnAskedBeforeItsUserWasForgottenIsNotKept) {
  Interaction turn = Turn("t1");
  turn.asked_at = clock().Now();
  clock().Advance(seconds(1));
  ASSERT_TRUE(journal().EraseUser(User("ana"), Deadline::Never()).ok());
  clock().Advance(seconds(1));
  turn.accepted_at = clock().Now();
  const auto accept = [&] {
    return journal().Accept(std::vector<Interaction>{turn}, RunMode::kBackground, "",
                            Deadline::Never());
  };
  EXPECT_EQ(accept().error().code, ErrorCode::kAborted);
  EXPECT_THAT(ListIds("ana"), IsEmpty());
  EXPECT_THAT(Ids(Claim()), IsEmpty());
  // What is asked now is a new beginning.
  turn.asked_at = clock().Now();
  EXPECT_TRUE(accept().ok());
  EXPECT_THAT(ListIds("ana"), ElementsAre("t1"));
}

TEST_P(JournalContract, AnAnswerInTheMakingWhenAUserIsForgottenIsNotKept) {
  StoredAnswer answer{.fingerprint = "f", .body = "what was said"};
  answer.began_at = clock().Now();
  clock().Advance(seconds(1));
  ASSERT_TRUE(journal().EraseUser(User("ana"), Deadline::Never()).ok());
  clock().Advance(seconds(1));
  answer.stored_at = clock().Now();
  EXPECT_TRUE(journal().SaveAnswer(User("ana"), "key", answer, Deadline::Never()).ok());
  EXPECT_FALSE(FindAnswer("key").has_value());
  // What begins now is a new beginning.
  answer.began_at = clock().Now();
  EXPECT_TRUE(journal().SaveAnswer(User("ana"), "key", answer, Deadline::Never()).ok());
  EXPECT_TRUE(FindAnswer("key").has_value());
}

TEST_P(JournalContract, ForgettingSaysWhatThereWasAndLeavesATombstone) {
  EXPECT_FALSE(FreshnessOf("ana").forgotten_at.has_value());
  Accept({Turn("done"), Turn("dead"), Turn("waits"), Turn("b", "bo")});
  const ClaimedBatch first = Claim(1);
  MarkAll(first);
  Settle(first);
  FailNext(FailureKind::kPermanent);
  const ClaimedBatch third = Claim(1);
  const std::vector<PlanRecord> plans = {{third.jobs.at(0).job.job_id, "a plan"}};
  ASSERT_TRUE(ledger().SavePlans(third.lease, plans, Deadline::Never()).ok());
  ASSERT_TRUE(ledger().Release(third.lease, Deadline::Never()).ok());
  SaveAnswer("key", "body", User("ana"));
  const AcceptedTurn last = AcceptOne(Turn("last"));
  clock().Advance(seconds(5));
  const JournalErasure erasure = journal().EraseUser(User("ana"), Deadline::Never()).value();
  EXPECT_EQ(erasure.turns, 4U);
  EXPECT_EQ(erasure.jobs_cancelled, 2U);
  EXPECT_EQ(erasure.dead_letters, 1U);
  EXPECT_EQ(erasure.jobs_finished, 1U);
  EXPECT_EQ(erasure.plans, 1U);
  EXPECT_EQ(erasure.attempts, 1U);
  EXPECT_EQ(erasure.answers, 1U);
  EXPECT_EQ(erasure.forgotten_at, clock().Now());
  EXPECT_EQ(FreshnessOf("ana").forgotten_at, clock().Now());
  EXPECT_FALSE(FreshnessOf("bo").forgotten_at.has_value());
  EXPECT_GE(erasure.last_sequence, last.sequence);
  EXPECT_GT(AcceptOne(Turn("anew")).sequence, erasure.last_sequence);
  const JournalErasure rest = journal().EraseUser(User("ana"), Deadline::Never()).value();
  EXPECT_EQ(rest.turns, 1U);
  EXPECT_EQ(rest.plans + rest.attempts + rest.answers + rest.dead_letters, 0U);
}

TEST_P(JournalContract, ForgettingSomebodyUnknownIsNoError) {
  EXPECT_EQ(journal().EraseUser(User("nobody"), Deadline::Never()).value().turns, 0U);
}

TEST_P(JournalContract, TheFirstAnswerIsKeptForADay) {
  EXPECT_FALSE(FindAnswer("key").has_value());
  SaveAnswer("key", "first", User("ana"));
  SaveAnswer("key", "second", User("ana"));
  clock().Advance(hours(24) - milliseconds(1));
  const auto answer = FindAnswer("key");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body, "first");
  EXPECT_EQ(answer->fingerprint, "f");
  EXPECT_EQ(answer->http_status, 201);
  EXPECT_EQ(answer->stored_at, ManualClock::kStart);
  clock().Advance(milliseconds(1));
  EXPECT_FALSE(FindAnswer("key").has_value());
  SaveAnswer("key", "third", User("ana"));
  EXPECT_EQ(FindAnswer("key")->body, "third");
}

TEST_P(JournalContract, AnswersOfTwoTenantsDoNotMeet) {
  SaveAnswer("key", "ours", User("ana"));
  SaveAnswer("key", "theirs", User("ana", "north"));
  EXPECT_EQ(FindAnswer("key")->body, "ours");
  EXPECT_EQ(FindAnswer("key", "north")->body, "theirs");
}

TEST_P(JournalContract, TurnsSurviveTheEndOfTheProcess) {
  const AcceptedTurn before = AcceptOne(Turn("t1"));
  AcceptOne(Turn("t2", "bo"));
  ReflectNext();
  ASSERT_TRUE(journal().EraseUser(User("bo"), Deadline::Never()).ok());
  if (!harness_->Restart()) {
    GTEST_SKIP() << "this engine keeps nothing";
  }
  const std::vector<Interaction> read = Read("ana", {"t1"});
  ASSERT_THAT(read, SizeIs(1));
  EXPECT_EQ(read[0].user_message, Turn("t1").user_message);
  EXPECT_TRUE(AcceptOne(Turn("t1")).duplicate);
  EXPECT_EQ(FreshnessOf("ana").reflected, 1U);
  // A sequence is not given again, even when its turn is gone.
  EXPECT_GT(AcceptOne(Turn("t3")).sequence, before.sequence + 1);
}

TEST_P(JournalContract, EveryUserIdIsAUserOfItsOwn) {
  const std::vector<std::string> names = {"a.b/c d", "../../etc", "' OR 1=1 --", "\xF0\x9F\x8D\x85",
                                          "ana",     "Ana",       "ana "};
  for (const std::string& name : names) {
    AcceptOne(Turn("t", name));
  }
  for (const std::string& name : names) {
    EXPECT_EQ(FreshnessOf(name).accepted, 1U) << name;
    EXPECT_THAT(Read(name, {"t"}), SizeIs(1)) << name;
  }
}

}  // namespace
}  // namespace umbranet
