// Goal: whatever Redis loses, keeps too long or never got, a conversation is what the journal has,
// and what a user said is gone once the user is forgotten. Method: a real server, whose keys are
// taken away or tampered with between calls; the journal is its twin, with a hook in its answers.
#include "umbranet/adapters/redis/redis_short_term_memory.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/hooked_journal.h"
#include "tests/doubles/in_memory_journal.h"
#include "tests/doubles/manual_clock.h"
#include "tests/integration/redis_harness.h"
#include "tests/integration/servers.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const Deadline kNever = Deadline::Never();

class RedisShortTermMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = MissingServer("REDIS_URL"); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    place_.emplace();
    Open(place_->Options());
  }

  void Open(const RedisShortTermMemory::Options& options) {
    auto opened = RedisShortTermMemory::Open(clock_, journal_, options);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    memory_ = std::move(opened).value();
  }

  // In the journal alone.
  Interaction Accept(const UserKey& user, const std::string& text,
                     const std::string& session = "s") {
    clock_.Advance(Millis{1});
    Interaction turn;
    turn.interaction_id = "turn-" + std::to_string(++turns_);
    turn.user = user;
    turn.session_id = session;
    turn.accepted_at = clock_.Now();
    turn.user_message = text;
    const std::vector<Interaction> turns{turn};
    turn.sequence = journal_.Accept(turns, RunMode::kBackground, "", kNever)->front().sequence;
    return turn;
  }

  void Append(const Interaction& turn) {
    const Status appended = memory_->Append(turn, kNever);
    ASSERT_TRUE(appended.ok()) << appended.error().message;
  }

  Interaction Say(const UserKey& user, const std::string& text, const std::string& session = "s") {
    Interaction turn = Accept(user, text, session);
    Append(turn);
    return turn;
  }

  Conversation Read(const UserKey& user, const std::string& session = "s",
                    std::size_t budget = 1000) {
    auto read = memory_->Read(user, session, {.tokens = budget, .turns = 1000}, kNever);
    EXPECT_TRUE(read.ok()) << read.error().message;
    return read.ok() ? *std::move(read) : Conversation{};
  }

  std::vector<std::string> Messages(const UserKey& user, const std::string& session = "s",
                                    std::size_t budget = 1000) {
    std::vector<std::string> messages;
    for (const Interaction& turn : Read(user, session, budget).turns) {
      messages.push_back(turn.user_message);
    }
    return messages;
  }

  // Of the session s of ana, which ends so, newest first.
  std::vector<std::string> MessagesAfter(std::vector<std::int64_t> tail) {
    auto read = memory_->ReadAfter({.sequences = std::move(tail)}, ana_, "s",
                                   {.tokens = 1000, .turns = 1000}, kNever);
    std::vector<std::string> messages;
    for (const Interaction& turn : std::move(read).value_or(Conversation{}).turns) {
      messages.push_back(turn.user_message);
    }
    return messages;
  }

  void SaveSummary(const UserKey& user, std::int64_t through, const std::string& text) {
    ASSERT_TRUE(memory_->SaveSummary(user, "s", through, text, kNever).ok());
  }

  void ForgetInJournal(const UserKey& user) { ASSERT_TRUE(journal_.EraseUser(user, kNever).ok()); }

  ManualClock clock_;
  InMemoryLedgerStore store_{clock_, {}};
  InMemoryJournal true_journal_{store_};
  HookedJournal journal_{true_journal_};
  std::optional<RedisPlace> place_;
  std::unique_ptr<RedisShortTermMemory> memory_;
  const UserKey ana_{"default", "ana"};
  const UserKey ben_{"default", "ben"};
  int turns_ = 0;
};

TEST_F(RedisShortTermMemoryTest, AsksTheJournalForNoMoreThanTheLastTurnsOnceASessionIsHere) {
  EXPECT_THAT(Messages(ana_), IsEmpty());
  Say(ana_, "one");
  Say(ana_, "two");
  journal_.TakeRecentLimits();
  EXPECT_THAT(Messages(ana_), ElementsAre("one", "two"));
  Say(ana_, "three");
  Say(ana_, "four");
  EXPECT_THAT(Messages(ana_), ElementsAre("one", "two", "three", "four"));
  EXPECT_THAT(Messages(ana_), SizeIs(4));
  // The second of these had four to look up, and spared the third.
  EXPECT_THAT(journal_.TakeRecentLimits(), ElementsAre(3, 5, 1));
}

TEST_F(RedisShortTermMemoryTest, DoesNotAskTheJournalAgainWhenItsCallerHas) {
  Read(ana_);
  const std::int64_t one = Say(ana_, "one").sequence;
  const std::int64_t two = Say(ana_, "two").sequence;
  journal_.TakeRecentLimits();
  EXPECT_THAT(MessagesAfter({two, one}), ElementsAre("one", "two"));
  EXPECT_THAT(journal_.TakeRecentLimits(), IsEmpty());
}

TEST_F(RedisShortTermMemoryTest, HoldsWhatItHasAgainstTheTailOfItsCaller) {
  Read(ana_);
  const std::int64_t one = Say(ana_, "one").sequence;
  const std::int64_t two = Accept(ana_, "two").sequence;
  EXPECT_THAT(MessagesAfter({two, one}), ElementsAre("one", "two")) << "an append that never came";
  Say(ana_, "three");
  journal_.TakeRecentLimits();
  EXPECT_THAT(MessagesAfter({two, one}), ElementsAre("one", "two", "three"));
  // A turn that the tail does not know: no reason to take the whole session from the journal.
  EXPECT_THAT(journal_.TakeRecentLimits(), ElementsAre(2));
  ForgetInJournal(ana_);
  EXPECT_THAT(MessagesAfter({}), IsEmpty());
  Accept(ana_, "anew");
  EXPECT_THAT(MessagesAfter({Accept(ana_, "anew").sequence, two}), ElementsAre("anew", "anew"));
}

TEST_F(RedisShortTermMemoryTest, AsksTheJournalWhereTheTailOfItsCallerIsTooShort) {
  Read(ana_);
  std::vector<std::int64_t> tail;
  for (std::size_t i = 0; i < kSessionTailMax + 2; ++i) {
    tail.insert(tail.begin(), Say(ana_, "turn").sequence);
  }
  tail.resize(kSessionTailMax);
  journal_.TakeRecentLimits();
  EXPECT_THAT(MessagesAfter(tail), SizeIs(kSessionTailMax + 2));
  EXPECT_THAT(journal_.TakeRecentLimits(), ElementsAre(kSessionTailMax + 3));
  EXPECT_THAT(MessagesAfter(tail), SizeIs(kSessionTailMax + 2));
  EXPECT_THAT(journal_.TakeRecentLimits(), IsEmpty()) << "verified by now";
}

TEST_F(RedisShortTermMemoryTest, IsRebuiltAfterRedisHasLostEverything) {
  Read(ana_);
  Say(ana_, "one");
  Say(ana_, "two");
  ASSERT_THAT(Messages(ana_), ElementsAre("one", "two"));
  place_->LoseEverything();
  EXPECT_THAT(Messages(ana_), ElementsAre("one", "two"));
  Say(ana_, "three");
  journal_.TakeRecentLimits();
  EXPECT_THAT(Messages(ana_), ElementsAre("one", "two", "three"));
  EXPECT_THAT(journal_.TakeRecentLimits(), ElementsAre(2));
}

TEST_F(RedisShortTermMemoryTest, IsRebuiltWhenTheTurnsAloneWereEvictedAndKeepsTheSummary) {
  Read(ana_);
  const std::int64_t first = Say(ana_, "one").sequence;
  SaveSummary(ana_, first, "a summary");
  ASSERT_THAT(Messages(ana_), ElementsAre("one"));
  place_->Call({"DEL", place_->KeysEndingWith(":turns").at(0)});
  Say(ana_, "two");
  EXPECT_THAT(Messages(ana_), ElementsAre("one", "two"));
  EXPECT_EQ(Read(ana_).summary, "a summary");
}

TEST_F(RedisShortTermMemoryTest, IsRebuiltWhenAnEntryInTheMiddleIsLost) {
  Read(ana_);
  for (const char* const text : {"one", "two", "three", "four", "five"}) {
    Say(ana_, text);
  }
  // By now the journal is not asked for them any more.
  ASSERT_THAT(Messages(ana_), SizeIs(5));
  place_->Call({"ZREMRANGEBYRANK", place_->KeysEndingWith(":turns").at(0), "1", "1"});
  EXPECT_THAT(Messages(ana_), ElementsAre("one", "two", "three", "four", "five"));
}

TEST_F(RedisShortTermMemoryTest, IsRebuiltWhenAnEntryCannotBeRead) {
  Read(ana_);
  Say(ana_, "one");
  const std::string turns = place_->KeysEndingWith(":turns").at(0);
  for (const char* const bytes : {"no number", "1 no JSON", "1 {}"}) {
    ASSERT_THAT(Messages(ana_), ElementsAre("one"));
    place_->Call({"ZREMRANGEBYRANK", turns, "0", "-1"});
    place_->Call({"ZADD", turns, "1", bytes});
    EXPECT_THAT(Messages(ana_), ElementsAre("one")) << bytes;
    EXPECT_THAT(place_->Contents(), Not(HasSubstr(bytes)));
  }
}

TEST_F(RedisShortTermMemoryTest, NoticesAnAppendThatNeverCame) {
  Read(ana_);
  Say(ana_, "one");
  Accept(ana_, "two");
  EXPECT_THAT(Messages(ana_), ElementsAre("one", "two"));
}

TEST_F(RedisShortTermMemoryTest, NoticesAnAppendThatNeverCameBeforeOneThatDid) {
  Read(ana_);
  Say(ana_, "one");
  ASSERT_THAT(Messages(ana_), SizeIs(1));
  Accept(ana_, "two");
  Say(ana_, "three");
  EXPECT_THAT(Messages(ana_), ElementsAre("one", "two", "three"));
}

TEST_F(RedisShortTermMemoryTest, TrustsATurnThatComesAfterALaterOneOnlyAsFarAsTheJournal) {
  Read(ana_);
  const Interaction late = Accept(ana_, "forgotten");
  // Redis was away then, and does not know.
  ForgetInJournal(ana_);
  Accept(ana_, "afresh");
  ASSERT_THAT(Messages(ana_), ElementsAre("afresh"));
  Append(late);
  EXPECT_THAT(Messages(ana_), ElementsAre("afresh"));
  EXPECT_THAT(place_->Contents(), Not(HasSubstr("forgotten")));
}

TEST_F(RedisShortTermMemoryTest, ATurnAppendedAgainCostsTheNextReadNothing) {
  const Interaction turn = Accept(ana_, "one");
  Accept(ana_, "two");
  ASSERT_THAT(Messages(ana_), SizeIs(2));
  Append(turn);
  journal_.TakeRecentLimits();
  EXPECT_THAT(Messages(ana_), ElementsAre("one", "two"));
  EXPECT_THAT(journal_.TakeRecentLimits(), ElementsAre(1));
}

TEST_F(RedisShortTermMemoryTest, ReadsALongSessionByItsBudgetAndKeepsABoundedPartOfIt) {
  RedisShortTermMemory::Options options = place_->Options();
  options.turns_max = 20;
  Open(options);
  Read(ana_);
  for (int i = 0; i < 50; ++i) {
    Say(ana_, "turn");
    if (i % 7 == 0) {
      Read(ana_, "s", 3);
    }
  }
  EXPECT_THAT(Read(ana_, "s", 5).turns, SizeIs(5));
  EXPECT_THAT(Read(ana_, "s", 1000).turns, SizeIs(20));
  journal_.TakeRecentLimits();
  EXPECT_THAT(Read(ana_, "s", 1000).turns, SizeIs(20));
  EXPECT_THAT(journal_.TakeRecentLimits(), ElementsAre(1));
  const std::string turns = place_->KeysEndingWith(":turns").at(0);
  EXPECT_EQ(place_->Call({"ZCARD", turns}).Number(), 20);
}

TEST_F(RedisShortTermMemoryTest, LetsEverythingExpire) {
  RedisShortTermMemory::Options options = place_->Options();
  options.keep_for = std::chrono::hours(1);
  Open(options);
  Read(ana_);
  SaveSummary(ana_, Say(ana_, "one").sequence, "a summary");
  ASSERT_THAT(place_->Keys(), SizeIs(3));
  for (const std::string& key : place_->Keys()) {
    const std::int64_t left_ms = place_->Call({"PTTL", key}).Number();
    EXPECT_GT(left_ms, 0) << key;
    EXPECT_LE(left_ms, 3'600'000) << key;
  }
  ASSERT_TRUE(memory_->EraseUser(ana_, kNever).ok());
  for (const std::string& key : place_->Keys()) {
    EXPECT_GT(place_->Call({"PTTL", key}).Number(), 0) << key;
  }
}

TEST_F(RedisShortTermMemoryTest, ErasesEverythingOfAUserAndNothingOfAnother) {
  for (const char* const session : {"s", "t", "u"}) {
    Read(ana_, session);
    Say(ana_, "hers", session);
  }
  Read(ben_);
  Say(ben_, "his");
  ForgetInJournal(ana_);
  ASSERT_TRUE(memory_->EraseUser(ana_, kNever).ok());
  EXPECT_THAT(place_->Contents(), Not(HasSubstr("hers")));
  EXPECT_THAT(place_->KeysEndingWith(":turns"), SizeIs(1));
  EXPECT_THAT(Messages(ana_), IsEmpty());
  EXPECT_THAT(Messages(ben_), ElementsAre("his"));
}

TEST_F(RedisShortTermMemoryTest, ALateAppendDoesNotBringBackWhatWasForgotten) {
  Read(ana_);
  const Interaction late = Accept(ana_, "forgotten");
  ForgetInJournal(ana_);
  ASSERT_TRUE(memory_->EraseUser(ana_, kNever).ok());
  Append(late);
  EXPECT_THAT(place_->Contents(), Not(HasSubstr("forgotten")));
  // Not even into a session that has begun afresh.
  ASSERT_THAT(Messages(ana_), IsEmpty());
  clock_.Advance(Millis{1});
  Say(ana_, "afresh");
  Append(late);
  EXPECT_THAT(place_->Contents(), Not(HasSubstr("forgotten")));
  EXPECT_THAT(Messages(ana_), ElementsAre("afresh"));
}

TEST_F(RedisShortTermMemoryTest, ARebuildDoesNotBringBackWhatIsForgottenMeanwhile) {
  Accept(ana_, "forgotten");
  journal_.AfterNextRecent([&] {
    ForgetInJournal(ana_);
    ASSERT_TRUE(memory_->EraseUser(ana_, kNever).ok());
  });
  Read(ana_);
  EXPECT_THAT(place_->Contents(), Not(HasSubstr("forgotten")));
  EXPECT_THAT(Messages(ana_), IsEmpty());
}

TEST_F(RedisShortTermMemoryTest, ASummaryDoesNotOutliveAUserForgottenMeanwhile) {
  Read(ana_);
  const std::int64_t through = Say(ana_, "one").sequence;
  journal_.AfterNextRecent([&] {
    ForgetInJournal(ana_);
    ASSERT_TRUE(memory_->EraseUser(ana_, kNever).ok());
  });
  SaveSummary(ana_, through, "of what is forgotten");
  EXPECT_THAT(place_->Contents(), Not(HasSubstr("of what is forgotten")));
}

TEST_F(RedisShortTermMemoryTest, ARebuildGivesWayToATurnThatCameMeanwhile) {
  Read(ana_);
  Say(ana_, "one");
  Accept(ana_, "two");
  journal_.AfterNextRecent([&] { journal_.AfterNextRecent([&] { Say(ana_, "three"); }); });
  Read(ana_);
  EXPECT_THAT(place_->Contents(), HasSubstr("three"));
  EXPECT_THAT(Messages(ana_), ElementsAre("one", "two", "three"));
}

TEST_F(RedisShortTermMemoryTest, NeverServesWhatWasForgottenWhileRedisWasAway) {
  Read(ana_);
  SaveSummary(ana_, Say(ana_, "forgotten").sequence, "of what is forgotten");
  ASSERT_THAT(Messages(ana_), SizeIs(1));
  ForgetInJournal(ana_);
  clock_.Advance(Millis{1});
  Say(ana_, "afresh");
  for (const std::size_t budget : {0U, 1000U}) {
    EXPECT_THAT(Messages(ana_, "s", budget), ElementsAre("afresh"));
    EXPECT_EQ(Read(ana_, "s", budget).summary, "");
  }
  EXPECT_THAT(place_->Contents(), Not(HasSubstr("forgotten")));
}

TEST_F(RedisShortTermMemoryTest, KeepsUsersAndSessionsApartWhateverTheyAreCalled) {
  const std::vector<UserKey> users{{"default", "ana"},
                                   {"default", "ana:s"},
                                   {"default", "a}b{"},
                                   {"default", "*"},
                                   {"default", "a b\"c'"},
                                   {"default", "../ana"},
                                   {"default", "\xF0\x9F\x8C\x92"},
                                   {"ab", "c"},
                                   {"a", "bc"},
                                   {"a:1", "b"},
                                   {"a", "1:b"},
                                   {"default", std::string(256, 'x')}};
  const std::vector<std::string> sessions{"s", "s:turns", "*", "{s}", "\xF0\x9F\x8C\x95 \"s\""};
  for (const UserKey& user : users) {
    for (const std::string& session : sessions) {
      Read(user, session);
      Say(user, user.tenant + "|" + user.user_id + "|" + session, session);
    }
  }
  for (const UserKey& user : users) {
    for (const std::string& session : sessions) {
      EXPECT_THAT(Messages(user, session),
                  ElementsAre(user.tenant + "|" + user.user_id + "|" + session));
    }
  }
  ASSERT_TRUE(memory_->EraseUser(users[3], kNever).ok());
  EXPECT_THAT(place_->KeysEndingWith(":turns"), SizeIs((users.size() - 1) * sessions.size()));
}

TEST_F(RedisShortTermMemoryTest, TeachesAServerItsScriptsAgain) {
  Read(ana_);
  place_->Call({"SCRIPT", "FLUSH"});
  Say(ana_, "one");
  EXPECT_THAT(Messages(ana_), ElementsAre("one"));
}

TEST_F(RedisShortTermMemoryTest, IsSharedByProcesses) {
  auto other = RedisShortTermMemory::Open(clock_, journal_, place_->Options());
  ASSERT_TRUE(other.ok());
  Read(ana_);
  Say(ana_, "one");
  ASSERT_TRUE((*other)->Append(Accept(ana_, "two"), kNever).ok());
  EXPECT_THAT(Messages(ana_), ElementsAre("one", "two"));
  EXPECT_THAT((*other)->Read(ana_, "s", {.tokens = 1000}, kNever)->turns, SizeIs(2));
}

}  // namespace
}  // namespace umbranet
