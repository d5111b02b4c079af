// Goal: recall asks the journal once for all that it begins with, hands the version of a user's
// memory on, and asks nobody beside the journal about a user of whom there is nothing. Method:
// mocks in place of every store.
#include <cstdint>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/memory/memory_manager.h"

#include "tests/doubles/in_memory_turn_spool.h"
#include "tests/doubles/manual_clock.h"
#include "tests/doubles/mock_stores.h"

namespace umbranet {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::Return;

class RecallByVersion : public ::testing::Test {
 protected:
  RecalledContext Recall(std::optional<std::int64_t> version) {
    Freshness freshness;
    freshness.memory_version = version;
    ON_CALL(stores_.journal, ReadFreshness).WillByDefault(Return(Result<Freshness>(freshness)));
    MemoryManager manager(clock_, pool_,
                          {stores_.journal, stores_.ledger, stores_.doorbell, stores_.short_term,
                           stores_.episodic, stores_.semantic, stores_.procedural},
                          {});
    RecallRequest request;
    request.user = {"default", "mira"};
    request.query = "tomatoes";
    auto recalled = manager.Recall(request, Deadline::After(clock_, std::chrono::seconds(5)));
    EXPECT_TRUE(recalled.ok());
    return std::move(recalled).value();
  }

  ManualClock clock_;
  MockStores stores_;
  BoundedWorkerPool pool_{{}};
};

TEST_F(RecallByVersion, OfAUserWithoutAnythingTheTiersBesideTheJournalAreNotAsked) {
  EXPECT_CALL(stores_.episodic, Find(_, _)).Times(0);
  EXPECT_CALL(stores_.procedural, Active(_, _, _, _)).Times(0);
  // On a server of its own it may be away, which recall is to say.
  EXPECT_CALL(stores_.semantic, Find(Field(&FactQuery::version, std::optional<std::int64_t>(0)), _))
      .WillOnce(Return(Unavailable("neo4j: away")));
  const RecalledContext context = Recall(0);
  EXPECT_THAT(context.items, IsEmpty());
  EXPECT_THAT(context.rules, IsEmpty());
  EXPECT_THAT(context.missing_tiers, ElementsAre(Tier::kSemantic));
}

TEST_F(RecallByVersion, ElseEveryTierIsAskedUnderTheVersionThatWasReadFirst) {
  for (const std::optional<std::int64_t> version : {std::optional<std::int64_t>(7), {}}) {
    EXPECT_CALL(stores_.episodic, Find(_, _));
    EXPECT_CALL(stores_.procedural, Active(_, _, _, _));
    EXPECT_CALL(stores_.semantic, Find(Field(&FactQuery::version, version), _));
    EXPECT_THAT(Recall(version).missing_tiers, IsEmpty());
  }
}

// Opens with all that there is to know, as a journal does that is a round trip away.
class OpeningJournal : public MockJournal {
 public:
  MOCK_METHOD(Result<RecallOpening>, OpenRecall, (const RecallOpeningQuery&, Deadline), (override));
};

TEST(RecallOpeningTest, WhatTheJournalHasSaidIsNotAskedAgain) {
  ManualClock clock;
  MockStores stores;
  ::testing::NiceMock<OpeningJournal> journal;
  BoundedWorkerPool pool{{}};
  MemoryManager manager(clock, pool,
                        {journal, stores.ledger, stores.doorbell, stores.short_term,
                         stores.episodic, stores.semantic, stores.procedural},
                        {});
  RecallOpening opening;
  opening.freshness.accepted = 2;
  opening.freshness.pending = 2;
  opening.unreflected = {8, 7};
  opening.session = SessionTail{.sequences = {8, 7}};
  EXPECT_CALL(
      journal,
      OpenRecall(Field(&RecallOpeningQuery::session_id, std::optional<std::string>("tea")), _))
      .WillOnce(Return(Result<RecallOpening>(opening)));
  EXPECT_CALL(journal, ReadFreshness).Times(0);
  EXPECT_CALL(journal, Unreflected).Times(0);
  EXPECT_CALL(journal, ReadAt(_, ElementsAre(7, 8), _));
  EXPECT_CALL(stores.short_term, Read).Times(0);
  EXPECT_CALL(stores.short_term,
              ReadAfter(Field(&SessionTail::sequences, ElementsAre(8, 7)), _, _, _, _))
      .WillOnce(Return(Result<Conversation>(Conversation())));
  RecallRequest request;
  request.user = {"default", "mira"};
  request.query = "tomatoes";
  request.session_id = "tea";
  EXPECT_TRUE(manager.Recall(request, Deadline::After(clock, std::chrono::seconds(5))).ok());
}

TEST(RecallOpeningTest, WhileTheJournalIsAwayTheSpoolHasNoWordOnHowTheSessionEnds) {
  ManualClock clock;
  MockStores stores;
  ::testing::NiceMock<OpeningJournal> journal;
  InMemoryTurnSpool spool(clock);
  BoundedWorkerPool pool{{}};
  MemoryManager::Stores all{journal,         stores.ledger,   stores.doorbell,  stores.short_term,
                            stores.episodic, stores.semantic, stores.procedural};
  all.spool = &spool;
  MemoryManager manager(clock, pool, all, {});
  EXPECT_CALL(journal, OpenRecall).WillOnce(Return(Unavailable("postgres: away")));
  EXPECT_CALL(stores.short_term, ReadAfter).Times(0);
  EXPECT_CALL(stores.short_term, Read);
  RecallRequest request;
  request.user = {"default", "mira"};
  request.session_id = "tea";
  EXPECT_TRUE(manager.Recall(request, Deadline::After(clock, std::chrono::seconds(5))).ok());
}

}  // namespace
}  // namespace umbranet
