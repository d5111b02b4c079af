// Goal: turns that wait for reflection are read and analysed once each, and only as long as the
// journal says that they wait. Method: a journal that counts what is read from it.
#include "umbranet/memory/pending_turns.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/mock_stores.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
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

  std::vector<std::string> Read() {
    std::vector<std::string> ids;
    const auto turns = pending_.Read(kUser, 100, Deadline::Never());
    EXPECT_TRUE(turns.ok());
    for (const PendingTurnRef& turn : *turns) {
      ids.push_back(turn->user->episode->interaction_id);
    }
    return ids;
  }

  std::vector<std::int64_t> TakeRead() { return std::exchange(read_, {}); }

  NiceMock<MockJournal> journal_;
  std::vector<std::int64_t> waiting_;
  std::vector<std::int64_t> read_;
  std::string text_ = "The kettle broke.";
  PendingTurns pending_{journal_, 1U << 20U};
};

TEST_F(PendingTurnsTest, ReadsATurnOnce) {
  waiting_ = {2, 1};
  EXPECT_THAT(Read(), ElementsAre("t2", "t1"));
  EXPECT_THAT(TakeRead(), ElementsAre(2, 1));
  waiting_ = {3, 2, 1};
  EXPECT_THAT(Read(), ElementsAre("t3", "t2", "t1"));
  EXPECT_THAT(TakeRead(), ElementsAre(3));
}

TEST_F(PendingTurnsTest, LetsGoOfWhatDoesNotWaitAnyMore) {
  waiting_ = {3, 2, 1};
  Read();
  waiting_ = {3, 1};
  EXPECT_THAT(Read(), ElementsAre("t3", "t1"));
  TakeRead();
  waiting_ = {3, 2, 1};  // Reflect-again has put it back.
  EXPECT_THAT(Read(), ElementsAre("t3", "t2", "t1"));
  EXPECT_THAT(TakeRead(), ElementsAre(2));
}

TEST_F(PendingTurnsTest, ForgetsAUser) {
  waiting_ = {1};
  Read();
  TakeRead();
  pending_.Forget(kUser);
  Read();
  EXPECT_THAT(TakeRead(), ElementsAre(1));
  waiting_ = {};
  EXPECT_THAT(Read(), IsEmpty());
}

TEST_F(PendingTurnsTest, AnswersAlsoWhenThereIsMoreThanItMayKeep) {
  text_.assign(700'000, 'x');
  waiting_ = {2, 1};
  EXPECT_THAT(Read(), ElementsAre("t2", "t1"));
  EXPECT_THAT(Read(), ElementsAre("t2", "t1"));
  EXPECT_THAT(TakeRead(), ElementsAre(2, 1, 2, 1));
}

TEST(AnalyzePending, HoldsWhatTheIndexWould) {
  Interaction turn = Turn(1, "My kettles broke.", "Oh dear.");
  turn.speaker = "Ana";
  const PendingTurn pending = AnalyzePending(turn);
  ASSERT_TRUE(pending.user && pending.assistant);
  EXPECT_THAT(pending.user->terms, HasSubstr("kettl"));
  EXPECT_THAT(pending.user->terms, HasSubstr("ana"));
  EXPECT_EQ(pending.user->episode->memory_id, "st_t1");
  EXPECT_EQ(pending.assistant->episode->memory_id, "st_t1/assistant");
  EXPECT_FALSE(AnalyzePending(turn, /*with_answer=*/false).assistant);
}

TEST(AnalyzePending, LeavesOutWhatAnOfflineAnswerQuotes) {
  Interaction turn = Turn(1, "Where is the kettle?", "You told me: the kettle is at Ana's.");
  turn.origin = Origin::kOfflineChat;
  EXPECT_FALSE(AnalyzePending(turn).assistant);
  turn.user_message = "";
  EXPECT_FALSE(AnalyzePending(turn).user);
}

}  // namespace
}  // namespace umbranet
