// Goal: every turn gets a plan; pleasantries get one with a reason and nothing else; only the
// user's half teaches. Method: whole turns through the port, with a deadline that never comes
// unless the test turns the clock beyond it.
#include "umbranet/extraction/rule_extractor.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "umbranet/domain/entity_name.h"

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

const Timestamp kNow = FromUnixMillis(1686738600000);  // 2023-06-14T10:30:00Z, a Wednesday

Interaction Turn(std::string message, std::string response = "") {
  Interaction turn;
  turn.interaction_id = "t";
  turn.user = {"default", "u"};
  turn.session_id = "s";
  turn.occurred_at = kNow;
  turn.user_message = std::move(message);
  turn.assistant_response = std::move(response);
  return turn;
}

std::vector<ReflectionPlan> PlansOf(std::vector<Interaction> turns) {
  ExtractionInput input;
  input.turns = std::move(turns);
  RuleExtractor extractor;
  auto plans = extractor.Extract(input, Deadline::Never());
  EXPECT_TRUE(plans.ok());
  return plans.ok() ? *plans : std::vector<ReflectionPlan>{};
}

ReflectionPlan PlanOf(Interaction turn) {
  return PlansOf({std::move(turn)}).at(0);
}

TEST(RuleExtractor, PleasantriesMakeNoMemoryAtAll) {
  for (const auto& [text, reason] : std::vector<std::pair<std::string, std::string>>{
           {"Hi there!", "greeting"},
           {"Good morning, how are you?", "greeting"},
           {"Thanks a lot, that was really helpful!", "thanks"},
           {"ok, great", "acknowledgement"},
           {"Bye, take care!", "farewell"},
           {"   ", "empty"}}) {
    const ReflectionPlan plan = PlanOf(Turn(text));
    EXPECT_EQ(plan.skipped_reason, reason) << text;
    EXPECT_TRUE(plan.episodes.empty() && plan.facts.empty() && plan.rules.empty()) << text;
  }
}

TEST(RuleExtractor, NothingIsLearntFromPleasantriesEchoesAndGuesses) {
  for (const std::string said :
       {"Good morning! How are you today?", "Thanks a lot, that was really helpful.",
        "You said \"I live in Oslo and I love tea\". Is that what you remember?",
        "You think I own a boat?", "So you believe that I am a pilot.",
        "The notes say: \"my sister lives in Porto\".", "What do you know about me?",
        "Tell me again what I like.", "Could you guess where I work?"}) {
    const ReflectionPlan plan = PlanOf(Turn(said));
    EXPECT_TRUE(plan.facts.empty()) << said;
    EXPECT_TRUE(plan.rules.empty()) << said;
  }
  const ReflectionPlan plan =
      PlanOf(Turn("What should I read?", "Maybe you like poetry. You might be a teacher in Lyon."));
  EXPECT_TRUE(plan.facts.empty());
  EXPECT_TRUE(plan.rules.empty());
}

TEST(RuleExtractor, TheSameSaidInOtherWordsIsTheSameFact) {
  const auto plans = PlansOf({Turn("I love hiking."), Turn("I really like hiking a lot!"),
                              Turn("I have a dog."), Turn("My dog is asleep.")});
  const auto key = [](const PlannedFact& fact) {
    return std::string(PredicateName(fact.predicate)) + NormalizeName(fact.qualifier) +
           NormalizeName(fact.object);
  };
  ASSERT_EQ(plans.size(), 4U);
  for (const ReflectionPlan& plan : plans) {
    ASSERT_EQ(plan.facts.size(), 1U);
  }
  EXPECT_EQ(key(plans[0].facts[0]), key(plans[1].facts[0]));
  EXPECT_EQ(key(plans[2].facts[0]), key(plans[3].facts[0]));
}

TEST(RuleExtractor, WordsThatTellSomethingAreKeptBesideAGreeting) {
  const ReflectionPlan plan = PlanOf(Turn("Hi! I live in Porto."));
  EXPECT_EQ(plan.skipped_reason, "");
  ASSERT_EQ(plan.episodes.size(), 1U);
  EXPECT_EQ(plan.episodes[0].text, "Hi! I live in Porto.");
  ASSERT_EQ(plan.facts.size(), 1U);
  EXPECT_EQ(plan.facts[0].subject, kSelfEntity);
}

TEST(RuleExtractor, ThePlanCarriesTheTurn) {
  Interaction turn = Turn("I prefer window seats.");
  turn.sequence = 7;
  const ReflectionPlan plan = PlanOf(turn);
  EXPECT_EQ(plan.interaction_id, "t");
  EXPECT_EQ(plan.session_id, "s");
  EXPECT_EQ(plan.user.user_id, "u");
  EXPECT_EQ(plan.occurred_at, kNow);
  EXPECT_EQ(plan.sequence, 7);
  EXPECT_EQ(plan.extractor, RuleExtractor().Name());
  EXPECT_TRUE(plan.job_id.empty());
  ASSERT_EQ(plan.rules.size(), 1U);
}

TEST(RuleExtractor, TheAssistantTeachesNothing) {
  const ReflectionPlan plan =
      PlanOf(Turn("Where should I go?", "You live in Porto and you always avoid trains."));
  EXPECT_TRUE(plan.facts.empty());
  EXPECT_TRUE(plan.rules.empty());
  ASSERT_EQ(plan.episodes.size(), 2U);
  EXPECT_EQ(plan.episodes[1].role, Role::kAssistant);
}

TEST(RuleExtractor, AnAnswerMadeOfMemoriesIsNotKeptAgain) {
  Interaction turn = Turn("Where does my sister live?", "You told me: my sister lives in Porto.");
  turn.origin = Origin::kOfflineChat;
  const ReflectionPlan plan = PlanOf(turn);
  ASSERT_EQ(plan.episodes.size(), 1U);
  EXPECT_EQ(plan.episodes[0].role, Role::kUser);
}

TEST(RuleExtractor, AnotherSpeakersStatementsAreAboutThatSpeaker) {
  Interaction turn = Turn("I adopted a kitten yesterday, Theo!");
  turn.speaker = "Nora";
  const ReflectionPlan plan = PlanOf(turn);
  ASSERT_FALSE(plan.facts.empty());
  EXPECT_EQ(plan.facts[0].subject, "Nora");
  EXPECT_EQ(plan.episodes[0].speaker, "Nora");
}

TEST(RuleExtractor, TimesAreResolvedAgainstTheTurn) {
  const ReflectionPlan plan = PlanOf(Turn("I saw the doctor two days ago."));
  ASSERT_EQ(plan.episodes.size(), 1U);
  ASSERT_EQ(plan.episodes[0].event_times.size(), 1U);
  EXPECT_EQ(plan.episodes[0].event_times[0].start, ParseTimestamp("2023-06-12T00:00:00Z"));
  EXPECT_EQ(plan.episodes[0].event_times[0].end, ParseTimestamp("2023-06-13T00:00:00Z"));
}

TEST(RuleExtractor, ALaterTurnNamesItsPeopleAsItDidAndLeavesTheRestToTheStore) {
  const auto plans = PlansOf({Turn("My sister Ana lives in Porto."), Turn("My sister is a vet.")});
  ASSERT_EQ(plans.size(), 2U);
  const auto& facts = plans[1].facts;
  EXPECT_TRUE(std::any_of(facts.begin(), facts.end(), [](const PlannedFact& fact) {
    return fact.subject == "my sister" && fact.predicate == Predicate::kWorksAs;
  }));
}

TEST(RuleExtractor, ALaterTurnMayCorrectAnEarlierOne) {
  const auto plans =
      PlansOf({Turn("My dentist appointment is on Monday."), Turn("No wait, it's Thursday.")});
  ASSERT_EQ(plans.size(), 2U);
  ASSERT_EQ(plans[1].facts.size(), 1U);
  EXPECT_EQ(plans[1].facts[0].object, "Thursday");
  EXPECT_TRUE(plans[1].facts[0].supersedes);
}

TEST(RuleExtractor, TheSessionBeforeTheBatchMayBeCorrectedToo) {
  ExtractionInput input;
  input.preceding = {Turn("My dentist appointment is on Monday.")};
  input.turns = {Turn("Sorry, I meant Friday.")};
  RuleExtractor extractor;
  const auto plans = extractor.Extract(input, Deadline::Never());
  ASSERT_TRUE(plans.ok());
  ASSERT_EQ(plans->at(0).facts.size(), 1U);
  EXPECT_EQ(plans->at(0).facts[0].object, "Friday");
}

TEST(RuleExtractor, ARuleOfTheBatchMayBeWithdrawnInIt) {
  const auto plans = PlansOf({Turn("Always use emojis."), Turn("Please stop using emojis.")});
  ASSERT_EQ(plans[1].rules.size(), 1U);
  EXPECT_TRUE(plans[1].rules[0].withdraws);
}

TEST(RuleExtractor, NoTimeLeftIsAnErrorAndNoHalfAnswer) {
  ManualClock clock;
  const Deadline deadline = Deadline::After(clock, std::chrono::milliseconds(5));
  clock.Advance(std::chrono::milliseconds(6));
  ExtractionInput input;
  input.turns = {Turn("I live in Porto.")};
  RuleExtractor extractor;
  const auto plans = extractor.Extract(input, deadline);
  ASSERT_FALSE(plans.ok());
  EXPECT_EQ(plans.error().code, ErrorCode::kDeadlineExceeded);
}

}  // namespace
}  // namespace umbranet
