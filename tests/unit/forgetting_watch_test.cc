// Goal: forgetting reaches what every process holds in memory, whichever was asked for it, and what
// is said afterwards is not taken for forgotten. Method: two processes' worth of caches over one
// ledger in memory, on a clock that the test turns; the second one is never told of anything.
//
// Deliberate faults that it has caught, each made in forgetting_watch.cc and taken back:
//   - nobody is let go of a second time         ACallThatWasUnderWayDoesNotBringItBackForLong
//   - a failure counts as done                  WhatCannotBeLetGoOfIsTriedAgain
//   - one page is read                          ReadsManyForgettingsToTheEnd
//   - blindness is not noticed                  WhoeverCannotSeeTheRecordHoldsNothingForLong
//   - the first look lets go of nothing         WhatAProcessHeldBeforeItsFirstLookIsLetGoOf
//   - the clock is not told of a forgetting     WhatIsSaidAfterAForgettingIsKept...,
//   AProcessThatStarts...
//   - nor of the ledger's time                  WhatWasSaidWhileANodesClockWasAheadDoesNotComeBack
#include "umbranet/memory/forgetting_watch.h"

#include <future>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/extraction/answer_cache.h"
#include "umbranet/memory/caching_embedder.h"
#include "umbranet/memory/pending_turns.h"

#include "tests/doubles/counting_embedder.h"
#include "tests/doubles/in_memory_forgetting_record.h"
#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Deadline kNever = Deadline::Never();
const UserKey kAna{"default", "ana"};
const UserKey kBo{"default", "bo"};

// A record that is away when the test says so.
class FaultyRecord final : public ForgettingRecord {
 public:
  explicit FaultyRecord(InMemoryLedgerStore& store) : record_(store) {}

  Result<ForgettingNews> After(Timestamp seen, std::size_t limit, Deadline deadline) override {
    if (away) {
      return Unavailable("record: away");
    }
    auto news = record_.After(seen, limit, deadline);
    if (news.ok()) {
      news->ledger_time = ledger_time;
    }
    return news;
  }

  bool away = false;
  std::optional<Timestamp> ledger_time;

 private:
  InMemoryForgettingRecord record_;
};

// What one process holds of users.
class Process {
 public:
  Process(const Clock& clock, InMemoryLedgerStore& store, ForgettingWatch::Options options = {})
      : record(store),
        journal(store),
        pending(journal, 1U << 20U),
        ledger_clock(clock),
        watch(clock, record, ledger_clock,
              {[this](const UserKey& user, Deadline) { return LetGo(user); },
               [this] { LetGoOfAll(); }},
              options) {}

  Status LetGo(const UserKey& user) {
    if (refuses) {
      return Unavailable("cache: away");
    }
    let_go.push_back(user.user_id);
    pending.Forget(user);
    questions.Clear();
    answers.Clear();
    return {};
  }

  void LetGoOfAll() {
    ++all_let_go;
    pending.ForgetAll();
    questions.Clear();
    answers.Clear();
  }

  void Ask(std::string_view question) {
    EXPECT_TRUE(questions.EmbedQuestion(question, kNever).ok());
  }

  // How many times the embedder has to be asked for this question: 0 when it is remembered.
  int Embedded(std::string_view question) {
    const int before = embedder.questions.load();
    Ask(question);
    return embedder.questions.load() - before;
  }

  FaultyRecord record;
  InMemoryJournal journal;
  CountingEmbedder embedder;
  CachingEmbedder questions{embedder, {}};
  AnswerCache answers{{}};
  PendingTurns pending;
  LedgerClock ledger_clock;
  bool refuses = false;
  std::vector<std::string> let_go;
  int all_let_go = 0;
  ForgettingWatch watch;
};

class ForgettingWatchTest : public ::testing::Test {
 protected:
  ForgettingWatchTest() {
    EXPECT_TRUE(asked_.watch.Look(kNever).ok());
    EXPECT_TRUE(other_.watch.Look(kNever).ok());
  }

  Timestamp Forget(const UserKey& user) {
    return asked_.journal.EraseUser(user, kNever).value().forgotten_at;
  }

  ManualClock clock_;
  InMemoryLedgerStore store_{clock_, {}};
  Process asked_{clock_, store_};
  Process other_{clock_, store_};
};

TEST_F(ForgettingWatchTest, ReachesTheCachesOfAProcessThatWasNotAsked) {
  Interaction turn;
  turn.interaction_id = "t";
  turn.user = kAna;
  turn.user_message = "I planted tomatoes.";
  const std::vector<Interaction> turns{turn};
  ASSERT_TRUE(other_.journal.Accept(turns, RunMode::kBackground, "", kNever).ok());
  ASSERT_TRUE(other_.pending.Find(kAna, {"tomato"}, std::nullopt, 10, kNever).ok());
  other_.Ask("Where did I plant tomatoes?");
  other_.answers.Keep("a prompt with tomatoes", "an answer with tomatoes");
  Forget(kAna);
  ASSERT_TRUE(other_.watch.Look(kNever).ok());
  EXPECT_EQ(other_.pending.Forget(kAna), 0U);
  EXPECT_EQ(other_.Embedded("Where did I plant tomatoes?"), 1);
  EXPECT_EQ(other_.answers.Find("a prompt with tomatoes"), std::nullopt);
}

TEST_F(ForgettingWatchTest, LetsGoOfEachOnceAndOfNobodyElse) {
  Forget(kAna);
  ASSERT_TRUE(other_.watch.Look(kNever).ok());
  ASSERT_TRUE(other_.watch.Look(kNever).ok());
  EXPECT_THAT(other_.let_go, ElementsAre("ana"));
  EXPECT_EQ(other_.all_let_go, 1) << "at the first look, which knows of nobody";
  Forget(kBo);
  ASSERT_TRUE(other_.watch.Look(kNever).ok());
  EXPECT_THAT(other_.let_go, ElementsAre("ana", "bo"));
}

TEST_F(ForgettingWatchTest, ReadsManyForgettingsToTheEnd) {
  Process small(clock_, store_, {.page = 2});
  ASSERT_TRUE(small.watch.Look(kNever).ok());
  for (const char* user : {"a", "b", "c", "d", "e"}) {
    Forget({"default", user});
  }
  ASSERT_TRUE(small.watch.Look(kNever).ok());
  EXPECT_THAT(small.let_go, ElementsAre("a", "b", "c", "d", "e"));
}

TEST_F(ForgettingWatchTest, ACallThatWasUnderWayDoesNotBringItBackForLong) {
  Forget(kAna);
  ASSERT_TRUE(other_.watch.Look(kNever).ok());
  other_.answers.Keep("asked before", "answered after");
  clock_.Advance(minutes(2));
  ASSERT_TRUE(other_.watch.Look(kNever).ok());
  EXPECT_NE(other_.answers.Find("asked before"), std::nullopt);
  clock_.Advance(minutes(1));
  ASSERT_TRUE(other_.watch.Look(kNever).ok());
  EXPECT_EQ(other_.answers.Find("asked before"), std::nullopt);
  EXPECT_THAT(other_.let_go, ElementsAre("ana", "ana"));
}

TEST_F(ForgettingWatchTest, MoreUsersThanAreRememberedAreLetGoOfTogether) {
  Process small(clock_, store_, {.again_max = 2});
  ASSERT_TRUE(small.watch.Look(kNever).ok());
  for (const char* user : {"a", "b", "c"}) {
    Forget({"default", user});
  }
  ASSERT_TRUE(small.watch.Look(kNever).ok());
  clock_.Advance(minutes(3));
  ASSERT_TRUE(small.watch.Look(kNever).ok());
  EXPECT_THAT(small.let_go, ElementsAre("a", "b", "c", "a"));
  EXPECT_EQ(small.all_let_go, 2);
}

TEST_F(ForgettingWatchTest, WhatCannotBeLetGoOfIsTriedAgain) {
  Forget(kAna);
  other_.refuses = true;
  EXPECT_FALSE(other_.watch.Look(kNever).ok());
  other_.refuses = false;
  ASSERT_TRUE(other_.watch.Look(kNever).ok());
  EXPECT_THAT(other_.let_go, ElementsAre("ana"));
}

TEST_F(ForgettingWatchTest, WhoeverCannotSeeTheRecordHoldsNothingForLong) {
  other_.Ask("Where do I live?");
  other_.record.away = true;
  Forget(kAna);
  clock_.Advance(seconds(59));
  EXPECT_FALSE(other_.watch.Look(kNever).ok());
  EXPECT_EQ(other_.Embedded("Where do I live?"), 0);
  clock_.Advance(seconds(1));
  EXPECT_FALSE(other_.watch.Look(kNever).ok());
  EXPECT_EQ(other_.Embedded("Where do I live?"), 1);
  EXPECT_FALSE(other_.watch.Look(kNever).ok());
  EXPECT_EQ(other_.all_let_go, 2) << "and not at every look from then on";
  clock_.Advance(minutes(1));
  EXPECT_FALSE(other_.watch.Look(kNever).ok());
  EXPECT_EQ(other_.all_let_go, 3);
  EXPECT_THAT(other_.let_go, IsEmpty());
  other_.record.away = false;
  ASSERT_TRUE(other_.watch.Look(kNever).ok());
  EXPECT_THAT(other_.let_go, ElementsAre("ana"));
}

TEST_F(ForgettingWatchTest, WhatAProcessHeldBeforeItsFirstLookIsLetGoOf) {
  Process late(clock_, store_);
  late.record.away = true;
  EXPECT_FALSE(late.watch.Look(kNever).ok());
  late.Ask("Where do I live?");
  Forget(kAna);
  late.record.away = false;
  ASSERT_TRUE(late.watch.Look(kNever).ok());
  EXPECT_EQ(late.Embedded("Where do I live?"), 1);
}

TEST_F(ForgettingWatchTest, WhatIsSaidAfterAForgettingIsKeptThoughTheClockWasSetBack) {
  const Timestamp forgotten = Forget(kAna);
  ASSERT_TRUE(other_.watch.Look(kNever).ok());
  clock_.SetWall(forgotten - hours(1));
  Interaction turn;
  turn.interaction_id = "new";
  turn.user = kAna;
  turn.user_message = "I am back.";
  turn.asked_at = clock_.Now();
  std::vector<Interaction> turns{turn};
  EXPECT_FALSE(other_.journal.Accept(turns, RunMode::kBackground, "", kNever).ok())
      << "by the clock it would be lost";
  turns[0].asked_at = other_.ledger_clock.Now();
  EXPECT_TRUE(other_.journal.Accept(turns, RunMode::kBackground, "", kNever).ok());
  const Timestamp before = other_.ledger_clock.Now();
  Forget(kAna);
  turns[0].interaction_id = "late";
  turns[0].asked_at = before;
  EXPECT_FALSE(other_.journal.Accept(turns, RunMode::kBackground, "", kNever).ok())
      << "it was asked before the second forgetting";
}

TEST_F(ForgettingWatchTest, AProcessThatStartsAfterAForgettingIsNotBeforeIt) {
  const Timestamp forgotten = Forget(kAna);
  clock_.SetWall(forgotten - hours(1));
  Process late(clock_, store_);
  ASSERT_TRUE(late.watch.Look(kNever).ok());
  EXPECT_EQ(late.ledger_clock.Now(), forgotten);
}

TEST_F(ForgettingWatchTest, WhatWasSaidWhileANodesClockWasAheadDoesNotComeBack) {
  ManualClock ahead(clock_.Now() + hours(5));
  Process node(ahead, store_);
  node.record.ledger_time = clock_.Now();
  ASSERT_TRUE(node.watch.Look(kNever).ok());
  Interaction turn;
  turn.interaction_id = "old";
  turn.user = kAna;
  turn.user_message = "I planted tomatoes.";
  turn.accepted_at = node.ledger_clock.Now();  // In its spool, say.
  clock_.Advance(seconds(10));
  Forget(kAna);
  const std::vector<Interaction> turns{turn};
  EXPECT_FALSE(node.journal.Accept(turns, RunMode::kBackground, "", kNever).ok());
}

TEST_F(ForgettingWatchTest, LooksByItselfOnceItWasStarted) {
  std::promise<std::string> let_go;
  int all_let_go = 0;
  LedgerClock ledger_clock(clock_);
  ForgettingWatch watch(clock_, other_.record, ledger_clock,
                        {[&let_go](const UserKey& user, Deadline) {
                           let_go.set_value(user.user_id);
                           return Status();
                         },
                         [&all_let_go] { ++all_let_go; }},
                        {.every = Millis{1}});
  watch.Start();
  EXPECT_EQ(all_let_go, 1) << "it looked before Start returned";
  watch.Start();
  Forget(kAna);
  EXPECT_EQ(let_go.get_future().get(), "ana");
  watch.Stop();
  watch.Stop();
}

}  // namespace
}  // namespace umbranet
