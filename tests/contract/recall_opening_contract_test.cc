// Goal: what a recall begins with says, of one moment, what the journal's other questions say.
// Method: one suite, run against each engine of LedgerEngines(). A journal may leave out all but
// the freshness; the one that is a round trip away may not, since it is what the question is for.
// Deliberate faults: the session's turns oldest first, those of every session, and the waiting
// turns without their limit each turned a test red.
#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/ledger_engines.h"

namespace umbranet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class RecallOpeningContract : public LedgerFixture {
 protected:
  static constexpr std::size_t kUnreflectedMax = 3;

  RecallOpening Open(std::string_view user_id, std::optional<std::string> session_id) {
    auto opening = journal().OpenRecall({.user = User(user_id),
                                         .session_id = std::move(session_id),
                                         .unreflected_max = kUnreflectedMax},
                                        Deadline::Never());
    EXPECT_TRUE(opening.ok());
    return std::move(opening).value();
  }

  // Holds it against the questions that it spares, and returns it with their answers where it has
  // none of its own.
  RecallOpening Checked(std::string_view user_id, const std::string& session_id) {
    RecallOpening opening = Open(user_id, session_id);
    EXPECT_EQ(ShowFreshness(opening.freshness), ShowFreshness(FreshnessOf(user_id)));
    const auto waiting =
        journal().Unreflected(User(user_id), kUnreflectedMax, Deadline::Never()).value();
    EXPECT_EQ(opening.unreflected.value_or(waiting), waiting);
    SessionTail tail;
    const auto turns =
        journal().Recent(User(user_id), session_id, 0, kSessionTailMax, Deadline::Never()).value();
    for (auto turn = turns.rbegin(); turn != turns.rend(); ++turn) {
      tail.sequences.push_back(turn->sequence);
    }
    EXPECT_EQ(opening.session.value_or(tail).sequences, tail.sequences);
    if (GetParam().name == "Postgres") {
      EXPECT_TRUE(opening.unreflected.has_value());
      EXPECT_TRUE(opening.session.has_value());
    }
    opening.unreflected = waiting;
    opening.session = tail;
    return opening;
  }

  static std::string ShowFreshness(const Freshness& freshness) {
    const auto time = [](const std::optional<Timestamp>& at) {
      return at ? std::to_string(ToUnixMillis(*at)) : std::string("-");
    };
    return std::to_string(freshness.accepted) + " " + std::to_string(freshness.reflected) + " " +
           std::to_string(freshness.pending) + " " + std::to_string(freshness.dead) + " " +
           time(freshness.oldest_pending_at) + " " + time(freshness.forgotten_at) + " " +
           std::to_string(freshness.memory_version.value_or(-1));
  }

  Interaction In(const std::string& session_id, const std::string& id,
                 const std::string& user_id = "ana") {
    Interaction turn = Turn(id, user_id);
    turn.session_id = session_id;
    return turn;
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, RecallOpeningContract, testing::ValuesIn(LedgerEngines()),
                         [](const auto& engine) { return engine.param.name; });

TEST_P(RecallOpeningContract, AnUnknownUserHasNothing) {
  AcceptOne(In("s", "b", "bo"));
  const RecallOpening opening = Checked("ana", "s");
  EXPECT_EQ(opening.freshness.accepted, 0U);
  EXPECT_THAT(*opening.unreflected, IsEmpty());
  EXPECT_THAT(opening.session->sequences, IsEmpty());
  EXPECT_TRUE(opening.session->IsWhole());
}

TEST_P(RecallOpeningContract, HoldsWhatWaitsAndTheEndOfTheSessionOfThatUserAlone) {
  const auto accepted = Accept({In("s", "t1"), In("other", "t2"), In("s", "t3"), In("s", "t4"),
                                In("s", "b", "bo"), In("s", "t5")});
  const RecallOpening opening = Checked("ana", "s");
  EXPECT_EQ(opening.freshness.pending, 5U);
  EXPECT_THAT(*opening.unreflected,
              ElementsAre(accepted[5].sequence, accepted[3].sequence, accepted[2].sequence));
  EXPECT_THAT(opening.session->sequences, ElementsAre(accepted[5].sequence, accepted[3].sequence,
                                                      accepted[2].sequence, accepted[0].sequence));
  EXPECT_THAT(Checked("ana", "none").session->sequences, IsEmpty());
}

TEST_P(RecallOpeningContract, FollowsReflectionFailureAndForgetting) {
  Accept({In("s", "done"), In("s", "dead"), In("s", "tier"), In("s", "waits")});
  const ClaimedBatch first = Claim(1);
  MarkAll(first);
  Settle(first);
  EXPECT_THAT(*Checked("ana", "s").unreflected, SizeIs(3));
  FailNext(FailureKind::kPermanent);
  EXPECT_THAT(*Checked("ana", "s").unreflected, SizeIs(3));
  const ClaimedBatch third = Claim(1);
  MarkAll(third, TierBit(Tier::kEpisodic));
  EXPECT_THAT(*Checked("ana", "s").unreflected, SizeIs(2));
  ASSERT_TRUE(journal().EraseUser(User("ana"), Deadline::Never()).ok());
  const RecallOpening opening = Checked("ana", "s");
  EXPECT_TRUE(opening.freshness.forgotten_at.has_value());
  EXPECT_THAT(*opening.unreflected, IsEmpty());
  EXPECT_THAT(opening.session->sequences, IsEmpty());
}

TEST_P(RecallOpeningContract, HasNothingWaitingOnceAllIsReflected) {
  Accept({In("s", "t1"), In("s", "t2")});
  const ClaimedBatch batch = Claim(10);
  MarkAll(batch);
  Settle(batch);
  const RecallOpening opening = Checked("ana", "s");
  EXPECT_EQ(opening.freshness.reflected, 2U);
  EXPECT_THAT(*opening.unreflected, IsEmpty());
  EXPECT_THAT(opening.session->sequences, SizeIs(2));
}

TEST_P(RecallOpeningContract, OfALongSessionItHasTheNewestTurns) {
  std::vector<Interaction> turns;
  for (std::size_t i = 0; i < kSessionTailMax + 3; ++i) {
    turns.push_back(In("s", "t" + std::to_string(i)));
  }
  Accept(turns);
  const RecallOpening opening = Checked("ana", "s");
  EXPECT_THAT(opening.session->sequences, SizeIs(kSessionTailMax));
  EXPECT_FALSE(opening.session->IsWhole());
}

TEST_P(RecallOpeningContract, HasNoSessionWhereNoneWasAskedFor) {
  AcceptOne(In("", "t1"));
  EXPECT_FALSE(Open("ana", std::nullopt).session.has_value());
}

}  // namespace
}  // namespace umbranet
