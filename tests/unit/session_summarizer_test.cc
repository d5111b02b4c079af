// Goal: a session is summarised when enough has left its window, no further than that, and nobody
// is harmed when it fails.
// Method: a journal and a window that are scripted, and the summary that is handed over.
#include "umbranet/reflection/session_summarizer.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/doubles/manual_clock.h"
#include "tests/doubles/mock_stores.h"

namespace umbranet {
namespace {

using ::testing::_;
using ::testing::HasSubstr;
using ::testing::NiceMock;
using ::testing::Return;

const UserKey kUser{"default", "ana"};

std::vector<Interaction> Turns(std::int64_t first, std::int64_t last) {
  std::vector<Interaction> turns;
  for (std::int64_t sequence = first; sequence <= last; ++sequence) {
    Interaction turn;
    turn.interaction_id = "t" + std::to_string(sequence);
    turn.user = kUser;
    turn.sequence = sequence;
    turn.occurred_at = ManualClock::kStart;
    turn.user_message = "I met Bea in town number " + std::to_string(sequence) + ".";
    turns.push_back(turn);
  }
  return turns;
}

class SessionSummarizerTest : public ::testing::Test {
 protected:
  SessionSummarizer Summarizer() {
    return {journal_, short_term_, metrics_, log_, {.turns_left_min = 4, .look_every_turns = 5}};
  }

  void WindowBeginsAt(std::int64_t sequence, std::int64_t summarized_through,
                      std::string summary = "") {
    ON_CALL(short_term_, Read)
        .WillByDefault(Return(Result<Conversation>(
            Conversation{std::move(summary), summarized_through, Turns(sequence, sequence + 3)})));
    ON_CALL(journal_, Recent(_, _, sequence, _, _))
        .WillByDefault(Return(Result<std::vector<Interaction>>(Turns(1, sequence - 1))));
  }

  ManualClock clock_;
  Metrics metrics_{{"0", "0"}};
  StructuredLog log_{clock_, {.level = LogLevel::kOff}};
  NiceMock<MockJournal> journal_;
  NiceMock<MockShortTermMemory> short_term_;
};

TEST_F(SessionSummarizerTest, SummarisesWhatHasLeftTheWindow) {
  WindowBeginsAt(7, 0);
  EXPECT_CALL(short_term_, SaveSummary(kUser, "s", 6, HasSubstr("number 6"), _))
      .WillOnce(Return(Status()));
  SessionSummarizer summarizer = Summarizer();
  const auto saved = summarizer.Summarize(kUser, "s", Deadline::Never());
  ASSERT_TRUE(saved.ok());
  EXPECT_TRUE(*saved);
}

TEST_F(SessionSummarizerTest, FoldsInOnlyWhatThePreviousSummaryDoesNotReach) {
  WindowBeginsAt(12, 6, "2024-05-01 User: I moved to Lyon.");
  EXPECT_CALL(short_term_, SaveSummary(kUser, "s", 11, _, _))
      .WillOnce(
          [](const UserKey&, std::string_view, std::int64_t, std::string_view summary, Deadline) {
            EXPECT_THAT(std::string(summary), HasSubstr("I moved to Lyon."));
            EXPECT_THAT(std::string(summary), HasSubstr("number 7"));
            EXPECT_EQ(summary.find("number 6"), std::string_view::npos);
            return Status();
          });
  SessionSummarizer summarizer = Summarizer();
  EXPECT_TRUE(*summarizer.Summarize(kUser, "s", Deadline::Never()));
}

TEST_F(SessionSummarizerTest, WaitsUntilEnoughHasLeft) {
  WindowBeginsAt(4, 0);
  EXPECT_CALL(short_term_, SaveSummary).Times(0);
  SessionSummarizer summarizer = Summarizer();
  EXPECT_FALSE(*summarizer.Summarize(kUser, "s", Deadline::Never()));
}

TEST_F(SessionSummarizerTest, LeavesAnUnknownSessionAlone) {
  EXPECT_CALL(short_term_, SaveSummary).Times(0);
  SessionSummarizer summarizer = Summarizer();
  EXPECT_FALSE(*summarizer.Summarize(kUser, "nobody", Deadline::Never()));
}

TEST_F(SessionSummarizerTest, ReportsAndCountsAFailure) {
  ON_CALL(short_term_, Read).WillByDefault(Return(Result<Conversation>(Unavailable("away"))));
  SessionSummarizer summarizer = Summarizer();
  EXPECT_EQ(summarizer.Summarize(kUser, "s", Deadline::Never()).error().code,
            ErrorCode::kUnavailable);
  EXPECT_EQ(metrics_.reflection_summaries_total.At("failed").Value(), 1);
}

TEST_F(SessionSummarizerTest, AsksForALookOncePerSoManyTurns) {
  SessionSummarizer summarizer = Summarizer();
  EXPECT_FALSE(summarizer.NoteTurns(kUser, "s", 4));
  EXPECT_FALSE(summarizer.NoteTurns(kUser, "another", 4));
  EXPECT_TRUE(summarizer.NoteTurns(kUser, "s", 1));
  EXPECT_FALSE(summarizer.NoteTurns(kUser, "s", 4));
  EXPECT_FALSE(summarizer.NoteTurns({"other tenant", "ana"}, "s", 4));
  EXPECT_TRUE(summarizer.NoteTurns(kUser, "fresh", 10));
}

TEST_F(SessionSummarizerTest, CountsABoundedNumberOfSessions) {
  SessionSummarizer summarizer(journal_, short_term_, metrics_, log_,
                               {.look_every_turns = 2, .sessions_max = 3});
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(summarizer.NoteTurns(kUser, "s" + std::to_string(i), 1));
  }
  EXPECT_FALSE(summarizer.NoteTurns(kUser, "s3", 1));
  EXPECT_FALSE(summarizer.NoteTurns(kUser, "s0", 1)) << "its count was dropped, so it begins anew";
  EXPECT_TRUE(summarizer.NoteTurns(kUser, "s0", 1));
}

}  // namespace
}  // namespace umbranet
