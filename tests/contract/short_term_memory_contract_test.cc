// Goal: every short-term memory keeps the promises of ports/short_term_memory.h. Method: one suite,
// run against each implementation; turns are accepted by the world's journal first and then
// appended, as MemoryManager does it.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/base/token_estimate.h"

#include "tests/contract/tier_world.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ShortTermMemoryContract : public TierContract {
 protected:
  ShortTermMemory& memory() { return world_->short_term(); }

  Interaction Say(const UserKey& user, const std::string& text, const std::string& session = "s",
                  const std::string& answer = "") {
    Interaction turn;
    turn.interaction_id = "turn-" + std::to_string(++turns_);
    turn.user = user;
    turn.session_id = session;
    turn.speaker = "Mira";
    turn.occurred_at = At(turns_);
    turn.accepted_at = At(turns_);
    turn.user_message = text;
    turn.assistant_response = answer;
    turn.metadata = R"({"k":1})";
    turn.origin = Origin::kChat;
    turn.priority = Priority::kHigh;
    turn = world_->Accept(std::move(turn));
    EXPECT_TRUE(memory().Append(turn, Deadline::Never()).ok());
    return turn;
  }

  Conversation Read(const UserKey& user, const std::string& session = "s",
                    const ConversationWindow& window = {.tokens = 1000}) {
    auto conversation = memory().Read(user, session, window, Deadline::Never());
    EXPECT_TRUE(conversation.ok());
    return std::move(conversation).value();
  }

  static std::vector<std::string> Messages(const Conversation& conversation) {
    std::vector<std::string> messages;
    for (const Interaction& turn : conversation.turns) {
      messages.push_back(turn.user_message);
    }
    return messages;
  }
};

TEST_P(ShortTermMemoryContract, AnUnknownSessionIsEmpty) {
  Say(ana_, "hello");
  for (const Conversation& conversation : {Read(ana_, "other"), Read(ben_)}) {
    EXPECT_THAT(conversation.turns, IsEmpty());
    EXPECT_EQ(conversation.summary, "");
    EXPECT_EQ(conversation.summarized_through, 0);
  }
}

TEST_P(ShortTermMemoryContract, GivesTurnsBackWholeAndOldestFirst) {
  const Interaction first = Say(ana_, "one", "s", "first answer");
  Say(ana_, "elsewhere", "t");
  Say(ana_, "two");
  const Conversation conversation = Read(ana_);
  EXPECT_THAT(Messages(conversation), ElementsAre("one", "two"));
  const Interaction& turn = conversation.turns.at(0);
  EXPECT_EQ(turn.interaction_id, first.interaction_id);
  EXPECT_EQ(turn.user, ana_);
  EXPECT_EQ(turn.session_id, "s");
  EXPECT_EQ(turn.speaker, "Mira");
  EXPECT_EQ(turn.occurred_at, first.occurred_at);
  EXPECT_EQ(turn.assistant_response, "first answer");
  EXPECT_EQ(turn.metadata, R"({"k":1})");
  EXPECT_EQ(turn.origin, Origin::kChat);
  EXPECT_EQ(turn.priority, Priority::kHigh);
  EXPECT_EQ(turn.sequence, first.sequence);
}

TEST_P(ShortTermMemoryContract, ReadsTheSameForACallerWhoKnowsTheEndOfTheSession) {
  const auto after = [&](std::vector<std::int64_t> tail, const ConversationWindow& window) {
    return Messages(
        memory()
            .ReadAfter({.sequences = std::move(tail)}, ana_, "s", window, Deadline::Never())
            .value());
  };
  EXPECT_THAT(after({}, {}), IsEmpty());
  std::vector<std::int64_t> tail;
  for (int i = 0; i < 12; ++i) {
    tail.insert(tail.begin(), Say(ana_, "turn " + std::to_string(i)).sequence);
    tail.resize(std::min(tail.size(), kSessionTailMax));
    for (const std::size_t turns : {std::size_t{3}, std::size_t{100}}) {
      const ConversationWindow window{.tokens = 1000, .turns = turns};
      EXPECT_EQ(after(tail, window), Messages(Read(ana_, "s", window))) << i;
    }
  }
}

TEST_P(ShortTermMemoryContract, AppendingATurnTwiceKeepsItOnce) {
  const Interaction turn = Say(ana_, "once");
  EXPECT_TRUE(memory().Append(turn, Deadline::Never()).ok());
  EXPECT_THAT(Messages(Read(ana_)), ElementsAre("once"));
}

TEST_P(ShortTermMemoryContract, KeepsTheNewestTurnsWithinTheBudget) {
  const std::string text(40, 'x');  // Ten tokens.
  ASSERT_EQ(EstimateTokens(text), 10U);
  for (int i = 0; i < 5; ++i) {
    Say(ana_, text, "s", i == 2 ? text : "");
  }
  EXPECT_THAT(Read(ana_, "s", {.tokens = 20}).turns, SizeIs(2));
  EXPECT_THAT(Read(ana_, "s", {.tokens = 29}).turns, SizeIs(2));
  EXPECT_THAT(Read(ana_, "s", {.tokens = 40}).turns, SizeIs(3));
  EXPECT_THAT(Read(ana_, "s", {.tokens = 60}).turns, SizeIs(5));
}

TEST_P(ShortTermMemoryContract, KeepsNoMoreTurnsThanAreAskedFor) {
  for (int i = 0; i < 5; ++i) {
    Say(ana_, "turn " + std::to_string(i));
  }
  EXPECT_THAT(Messages(Read(ana_, "s", {.turns = 2})), ElementsAre("turn 3", "turn 4"));
  EXPECT_THAT(Read(ana_, "s", {.turns = 5}).turns, SizeIs(5));
  EXPECT_THAT(Messages(Read(ana_, "s", {.turns = 0})), ElementsAre("turn 4"));
}

TEST_P(ShortTermMemoryContract, TheNewestTurnIsThereEvenWhenItIsOverBudget) {
  Say(ana_, "before");
  Say(ana_, std::string(4000, 'y'));
  EXPECT_THAT(Read(ana_, "s", {.tokens = 10}).turns, SizeIs(1));
  EXPECT_THAT(Read(ana_, "s", {.tokens = 0}).turns, SizeIs(1));
}

TEST_P(ShortTermMemoryContract, ASummaryGivesWayOnlyToOneThatReachesFurther) {
  const auto first = Say(ana_, "one").sequence;
  const auto second = Say(ana_, "two").sequence;
  const auto save = [&](std::int64_t through, const std::string& text) {
    EXPECT_TRUE(memory().SaveSummary(ana_, "s", through, text, Deadline::Never()).ok());
  };
  save(first, "up to one");
  save(second, "up to two");
  save(first, "late");
  const Conversation conversation = Read(ana_);
  EXPECT_EQ(conversation.summary, "up to two");
  EXPECT_EQ(conversation.summarized_through, second);
  EXPECT_EQ(Read(ana_, "t").summary, "");
  EXPECT_THAT(Messages(conversation), ElementsAre("one", "two"));
}

TEST_P(ShortTermMemoryContract, AForgottenUserHasNoConversationAndNoSummary) {
  const auto sequence = Say(ana_, "one").sequence;
  Say(ben_, "his");
  ASSERT_TRUE(memory().SaveSummary(ana_, "s", sequence, "a summary", Deadline::Never()).ok());
  world_->ForgetTurns(ana_);
  EXPECT_EQ(*memory().EraseUser(ana_, Deadline::Never()), 1U);
  EXPECT_EQ(*memory().EraseUser(ana_, Deadline::Never()), 0U);
  EXPECT_THAT(Read(ana_).turns, IsEmpty());
  EXPECT_EQ(Read(ana_).summary, "");
  EXPECT_THAT(Messages(Read(ben_)), ElementsAre("his"));
}

TEST_P(ShortTermMemoryContract, ASummaryThatWasInTheMakingDoesNotOutliveTheUser) {
  const auto sequence = Say(ana_, "one").sequence;
  world_->ForgetTurns(ana_);
  ASSERT_TRUE(memory().EraseUser(ana_, Deadline::Never()).ok());
  ASSERT_TRUE(memory().SaveSummary(ana_, "s", sequence, "a summary", Deadline::Never()).ok());
  EXPECT_EQ(Read(ana_).summary, "");
}

INSTANTIATE_TEST_SUITE_P(Implementations, ShortTermMemoryContract,
                         testing::ValuesIn(ShortTermWorlds()), TierWorldName);

}  // namespace
}  // namespace umbranet
