// Goal: what a turn is worth to a question by its meaning and its times, beside its words.
// Method: single turns with similarities as a store would bring them; words alone are the subject
// of ranking_test.cc.
#include "umbranet/memory/turn_scores.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/base/text_analysis.h"

namespace umbranet {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kDayMs = 86'400'000;

Timestamp Day(int day) {
  return FromUnixMillis(1'700'000'000'000 + day * kDayMs);
}

class Turns {
 public:
  Turns& Say(const std::string& text, std::optional<float> similarity = std::nullopt,
             Role role = Role::kUser, std::vector<TimeRange> event_times = {}) {
    sequence_ += role == Role::kUser ? 1 : 0;
    auto episode = std::make_shared<Episode>();
    episode->interaction_id = "t" + std::to_string(sequence_);
    episode->memory_id = episode->interaction_id + std::string(RoleName(role));
    episode->role = role;
    // Far apart, so that none is read in the context of another.
    episode->session_id = "s" + std::to_string(sequence_);
    episode->speaker = role == Role::kUser ? kDefaultSpeaker : kAssistantSpeaker;
    episode->text = text;
    episode->occurred_at = Day(static_cast<int>(sequence_));
    episode->sequence = sequence_;
    episode->event_times = std::move(event_times);
    said_.push_back({std::move(episode), similarity});
    return *this;
  }

  Turns& Answer(const std::string& text, std::optional<float> similarity) {
    return Say(text, similarity, Role::kAssistant);
  }

  [[nodiscard]] std::vector<ScoredHalf> Score(const Question& question) const {
    EpisodesFound found;
    found.assistant_statistics.document_frequency.resize(question.terms.size());
    const QuestionTermCounter counter(question);
    for (const Said& said : said_) {
      QuestionTermCounter::Counts counts;
      counter.Add(said.episode->text, counts);
      CorpusStatistics& statistics =
          said.episode->role == Role::kUser ? found.statistics : found.assistant_statistics;
      statistics.document_frequency.resize(question.terms.size());
      for (std::size_t i = 0; i < counts.term_counts.size(); ++i) {
        statistics.document_frequency[i] += counts.term_counts[i] > 0 ? 1U : 0U;
      }
      statistics.length_mean = 6;
      ++statistics.documents;
      found.candidates.push_back({.episode = said.episode,
                                  .term_counts = counts.term_counts,
                                  .length = counts.length,
                                  .similarity = said.similarity});
    }
    std::vector<ScoredHalf> halves =
        ScoreTurns(question, std::move(found), {}, std::nullopt).halves;
    std::sort(halves.begin(), halves.end(),
              [](const ScoredHalf& a, const ScoredHalf& b) { return a.score > b.score; });
    return halves;
  }

  [[nodiscard]] std::vector<std::string> Order(const std::string& query,
                                               const std::vector<TimeRange>& times = {}) const {
    Question question = ReadQuestion(query);
    question.times = times;
    std::vector<std::string> texts;
    for (const ScoredHalf& half : Score(question)) {
      texts.push_back(half.candidate.episode->text);
    }
    return texts;
  }

 private:
  struct Said {
    std::shared_ptr<const Episode> episode;
    std::optional<float> similarity;
  };

  std::int64_t sequence_ = 0;
  std::vector<Said> said_;
};

TEST(TurnScores, FindWordsUnderTheirAcronymButNotUnderAWordThatIsSpeltLikeIt) {
  const Turns turns = Turns()
                          .Say("The cat was ill.")
                          .Say("I paid for the CAT and its guide.")
                          .Say("The museum is closed.");
  EXPECT_THAT(turns.Order("Is the cheap art tour on?"),
              ElementsAre("I paid for the CAT and its guide."));
}

TEST(TurnScores, FindATurnByItsMeaningThatSharesNoWordWithTheQuestion) {
  const Turns turns = Turns()
                          .Say("We put the kayak on the lake at dawn.", 0.6F)
                          .Say("The invoice is overdue.", 0.05F)
                          .Say("My tooth hurts.", 0.1F);
  EXPECT_THAT(turns.Order("Which water sports are done?"),
              ElementsAre("We put the kayak on the lake at dawn."));
}

TEST(TurnScores, PutWhatFitsByWordAndMeaningAboveWhatFitsByOneOfThem) {
  const Turns turns = Turns()
                          .Say("The bank by the river is muddy.", 0.15F)
                          .Say("My savings account pays no interest.", 0.55F)
                          .Say("The bank raised the fees of my account.", 0.6F)
                          .Say("It rains.", 0.0F);
  EXPECT_EQ(turns.Order("bank fees").front(), "The bank raised the fees of my account.");
}

TEST(TurnScores, LeaveOutWhatIsNoMoreLikeTheQuestionThanTheRest) {
  const Turns turns =
      Turns().Say("It rains.", 0.1F).Say("My tooth hurts.", 0.12F).Say("Good night.", 0.11F);
  EXPECT_THAT(turns.Order("Which water sports are done?"), IsEmpty());
}

TEST(TurnScores, FindTheOnlyTextThereIs) {
  EXPECT_THAT(Turns().Say("We put the kayak on the lake.", 0.6F).Order("Which sports are done?"),
              ElementsAre("We put the kayak on the lake."));
}

TEST(TurnScores, DoNotDependOnWhereAnEmbedderHasItsZero) {
  Turns low;
  Turns high;
  const std::vector<float> similarities = {0.0F, 0.1F, 0.2F, 0.35F, 0.5F, 0.1F, 0.15F, 0.05F};
  for (int round = 0; round < 20; ++round) {
    for (const float similarity : similarities) {
      const std::string text = similarity == 0.2F ? "A canoe is expensive." : "It rains.";
      low.Say(text, similarity);
      high.Say(text, 0.6F + 0.4F * similarity);
    }
  }
  const Question question = ReadQuestion("Which canoe was bought?");
  const std::vector<ScoredHalf> by_low = low.Score(question);
  const std::vector<ScoredHalf> by_high = high.Score(question);
  ASSERT_GE(by_high.size(), by_low.size());
  for (std::size_t i = 0; i < by_low.size(); ++i) {
    EXPECT_THAT(by_high[i].score, DoubleNear(by_low[i].score, 1.0)) << i;
  }
}

TEST(TurnScores, ScoreATurnWithoutAVectorByItsWords) {
  const Turns turns = Turns()
                          .Say("The canoe is expensive.")
                          .Say("We put the kayak on the lake.", 0.4F)
                          .Say("It rains.", 0.0F);
  EXPECT_THAT(turns.Order("expensive canoe"),
              ElementsAre("The canoe is expensive.", "We put the kayak on the lake."));
}

TEST(TurnScores, FindAnAnswerOfTheAssistantByItsMeaning) {
  const Turns turns = Turns()
                          .Say("What could I do on Sunday?", 0.1F)
                          .Answer("Take the kayak out on the lake.", 0.6F)
                          .Say("It rains.", 0.0F)
                          .Answer("Then stay at home.", 0.05F);
  EXPECT_EQ(turns.Order("Which water sports?").front(), "Take the kayak out on the lake.");
}

TEST(TurnScores, PreferWhatHasADateWhenAskedForOne) {
  const TimeRange june{Day(-40), Day(-10)};
  const Turns turns = Turns()
                          .Say("The bakery will open in June.", 0.5F, Role::kUser, {june})
                          .Say("The bakery did open.", 0.5F);
  EXPECT_EQ(turns.Order("When did the bakery open?").front(), "The bakery will open in June.");
  EXPECT_EQ(turns.Order("Who did open the bakery?").front(), "The bakery did open.");
}

TEST(TurnScores, PreferWhatSpeaksOfTheTimeThatIsAskedAbout) {
  const TimeRange spring{Day(-90), Day(-1)};
  const TimeRange decade{Day(-3650), Day(-1)};
  const TimeRange winter{Day(-180), Day(-91)};
  const Turns turns = Turns()
                          .Say("We painted the fence.", std::nullopt, Role::kUser, {winter})
                          .Say("We painted the shed.", std::nullopt, Role::kUser, {spring})
                          .Say("We painted the roof.", std::nullopt, Role::kUser, {decade});
  EXPECT_EQ(turns.Order("What was painted?", {spring}).front(), "We painted the shed.");
  const std::vector<ScoredHalf> scored = turns.Score([&] {
    Question question = ReadQuestion("What was painted?");
    question.times = {spring};
    return question;
  }());
  // A decade holds every spring of it and speaks of none.
  EXPECT_EQ(std::count_if(scored.begin(), scored.end(),
                          [](const ScoredHalf& half) { return half.parts.time > 0; }),
            1);
}

TEST(TurnScores, AreTheSumOfTheirParts) {
  const TimeRange june{Day(-40), Day(-10)};
  const Turns turns = Turns()
                          .Say("The bakery will open in June.", 0.5F, Role::kUser, {june})
                          .Answer("The bakery sells bread.", 0.4F)
                          .Say("When does it open?", 0.3F)
                          .Say("It rains.", 0.0F);
  Question question = ReadQuestion("When did the bakery open?");
  question.times = {june};
  const std::vector<ScoredHalf> scored = turns.Score(question);
  ASSERT_GE(scored.size(), 3U);
  for (const ScoredHalf& half : scored) {
    EXPECT_DOUBLE_EQ(half.parts.Score(), half.score);
  }
}

}  // namespace
}  // namespace umbranet
