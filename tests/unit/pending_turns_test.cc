// Goal: turns that wait for reflection are read and analysed once each, and only as long as the
// journal says that they wait. Method: a journal that counts what is read from it.
#include "umbranet/memory/pending_turns.h"

#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/mock_stores.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::NiceMock;

const UserKey kUser{"default", "mira"};

Interaction Turn(std::int64_t sequence, const std::string& text, const std::string& answer = "") {
  Interaction turn;
  turn.interaction_id = "t" + std::to_string(sequence);
  turn.user = kUser;
  turn.user_message = text;
  turn.assistant_response = answer;
  turn.sequence = sequence;
  return turn;
}

std::vector<std::string> Ids(const EpisodesFound& found) {
  std::map<std::int64_t, std::string> ids;
  for (const EpisodeCandidate& candidate : found.candidates) {
    ids[candidate.episode->sequence] = candidate.episode->interaction_id;
  }
  std::vector<std::string> sorted;
  for (const auto& [sequence, id] : ids) {
    sorted.push_back(id);
  }
  return sorted;
}

class PendingTurnsTest : public ::testing::Test {
 protected:
  PendingTurnsTest() {
    ON_CALL(journal_, Unreflected).WillByDefault([this](auto&&...) {
      return Result<std::vector<std::int64_t>>(waiting_);
    });
    ON_CALL(journal_, ReadAt)
        .WillByDefault([this](const UserKey&, std::span<const std::int64_t> sequences, Deadline) {
          std::vector<Interaction> turns;
          for (const std::int64_t sequence : sequences) {
            read_.push_back(sequence);
            turns.push_back(Turn(sequence, text_));
          }
          return Result<std::vector<Interaction>>(std::move(turns));
        });
  }

  // The ids of what is found, in the order in which it was said.
  std::vector<std::string> Find(const std::vector<std::string>& terms) {
    const auto found = pending_.Find(kUser, terms, std::nullopt, 100, Deadline::Never());
    EXPECT_TRUE(found.ok());
    return found.ok() ? Ids(*found) : std::vector<std::string>();
  }

  std::vector<std::string> Find() { return Find({"kettl"}); }

  std::vector<std::int64_t> TakeRead() { return std::exchange(read_, {}); }

  NiceMock<MockJournal> journal_;
  std::vector<std::int64_t> waiting_;
  std::vector<std::int64_t> read_;
  std::string text_ = "The kettle broke.";
  PendingTurns pending_{journal_, 1U << 20U};
};

TEST_F(PendingTurnsTest, ReadsATurnOnce) {
  waiting_ = {2, 1};
  EXPECT_THAT(Find(), ElementsAre("t1", "t2"));
  EXPECT_THAT(TakeRead(), ElementsAre(1, 2));
  waiting_ = {3, 2, 1};
  EXPECT_THAT(Find(), ElementsAre("t1", "t2", "t3"));
  EXPECT_THAT(TakeRead(), ElementsAre(3));
}

TEST_F(PendingTurnsTest, LetsGoOfWhatDoesNotWaitAnyMore) {
  waiting_ = {3, 2, 1};
  Find();
  waiting_ = {3, 1};
  EXPECT_THAT(Find(), ElementsAre("t1", "t3"));
  TakeRead();
  waiting_ = {3, 2, 1};  // Reflect-again has put it back.
  EXPECT_THAT(Find(), ElementsAre("t1", "t2", "t3"));
}

TEST_F(PendingTurnsTest, KeepsUpWithALongRunOfTurnsThatComeAndGo) {
  for (std::int64_t last = 3; last < 1000; ++last) {
    waiting_ = {last, last - 1, last - 2};
    ASSERT_THAT(Find(), ElementsAre("t" + std::to_string(last - 2), "t" + std::to_string(last - 1),
                                    "t" + std::to_string(last)));
  }
  EXPECT_LT(TakeRead().size(), 1100U);
}

TEST_F(PendingTurnsTest, DoesNotReadWhatWasNotedWhenItWasAccepted) {
  pending_.Note(Turn(1, text_));
  pending_.Note(Turn(3, text_));
  Interaction of_another = Turn(4, text_);
  of_another.user.user_id = "ben";
  pending_.Note(of_another);
  waiting_ = {4, 3, 2, 1};
  EXPECT_THAT(Find(), ElementsAre("t1", "t2", "t3", "t4"));
  EXPECT_THAT(TakeRead(), ElementsAre(2, 4));
}

TEST_F(PendingTurnsTest, DoesNotFindWhatWasNotedAndDoesNotWait) {
  pending_.Note(Turn(1, text_));
  EXPECT_THAT(Find(), IsEmpty());
  waiting_ = {1};
  pending_.Forget(kUser);
  EXPECT_THAT(Find(), ElementsAre("t1"));
  EXPECT_THAT(TakeRead(), ElementsAre(1)) << "forgotten is forgotten";
}

TEST_F(PendingTurnsTest, NotesNoMoreThanThereIsRoomFor) {
  const std::string tale = "A kettle. " + std::string(100'000, 'x');
  for (std::int64_t sequence = 1; sequence <= 60; ++sequence) {
    pending_.Note(Turn(sequence, tale));
  }
  EXPECT_LT(pending_.Forget(kUser), 45U);
  pending_.Note(Turn(61, tale));
  pending_.Note(Turn(62, std::string(1'000'000, 'x')));
  EXPECT_EQ(pending_.Forget(kUser), 1U) << "one that is long is not noted";
}

TEST_F(PendingTurnsTest, FindsAmongThoseThatTheCallerHasAskedFor) {
  EXPECT_CALL(journal_, Unreflected).Times(0);
  const auto found = pending_.FindAmong(kUser, {2, 1}, {"kettl"}, std::nullopt, Deadline::Never());
  EXPECT_THAT(Ids(found.value()), ElementsAre("t1", "t2"));
}

TEST_F(PendingTurnsTest, ForgetsAUser) {
  waiting_ = {1};
  Find();
  TakeRead();
  pending_.Forget(kUser);
  Find();
  EXPECT_THAT(TakeRead(), ElementsAre(1));
  waiting_ = {};
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(PendingTurnsTest, AnswersAlsoWhenThereIsMoreThanItMayKeep) {
  text_ = "A kettle. " + std::string(700'000, 'x');
  waiting_ = {2, 1};
  EXPECT_THAT(Find(), ElementsAre("t1", "t2"));
  EXPECT_THAT(Find(), ElementsAre("t1", "t2"));
  EXPECT_THAT(TakeRead(), ElementsAre(1, 2, 1, 2));
}

class PendingIndexTest : public ::testing::Test {
 protected:
  // The episodes found, by memory id.
  std::map<std::string, EpisodeCandidate> Find(const std::string& term) const {
    std::map<std::string, EpisodeCandidate> found;
    for (const EpisodeCandidate& candidate : index_.Search({term}, std::nullopt).candidates) {
      found.emplace(candidate.episode->memory_id, candidate);
    }
    return found;
  }

  PendingIndex index_;
};

TEST_F(PendingIndexTest, HoldsWhatTheTierWould) {
  Interaction turn = Turn(1, "My kettles broke.", "Oh dear.");
  turn.speaker = "Ana";
  index_.Add(turn);
  const auto found = Find("kettl");
  ASSERT_TRUE(found.contains("st_t1") && found.contains("st_t1/assistant"));
  EXPECT_TRUE(found.at("st_t1").matched);
  EXPECT_FALSE(found.at("st_t1/assistant").matched);
  EXPECT_TRUE(Find("ana").at("st_t1").matched);
}

TEST_F(PendingIndexTest, LeavesOutTheAnswerWhereItIsNotWanted) {
  index_.Add(Turn(1, "My kettles broke.", "Oh dear."), /*with_answer=*/false);
  EXPECT_THAT(Find("kettl"), ElementsAre(Key("st_t1")));
}

TEST_F(PendingIndexTest, LeavesOutWhatAnOfflineAnswerQuotes) {
  Interaction turn = Turn(1, "Where is the kettle?", "You told me: the kettle is at Ana's.");
  turn.origin = Origin::kOfflineChat;
  index_.Add(turn);
  EXPECT_THAT(Find("kettl"), ElementsAre(Key("st_t1")));
}

TEST_F(PendingIndexTest, BringsTheBeginningOfASessionWhateverItSays) {
  for (std::int64_t sequence = 1; sequence <= 6; ++sequence) {
    index_.Add(Turn(sequence, sequence == 6 ? "The kettle broke." : "Good evening."));
  }
  EXPECT_THAT(Find("kettl"), ElementsAre(Key("st_t1"), Key("st_t2"), Key("st_t5"), Key("st_t6")));
  index_.Remove(1);
  EXPECT_THAT(Find("kettl"), ElementsAre(Key("st_t2"), Key("st_t3"), Key("st_t5"), Key("st_t6")));
}

}  // namespace
}  // namespace umbranet
