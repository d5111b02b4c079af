// Goal: the rules that matter to a question come with its answer, few of them, the most pertinent
// first. Method: small invented sets of rules.
#include "umbranet/memory/rule_selection.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

const UserKey kUser{"default", "mira"};

Rule MakeRule(const std::string& id, const std::string& text, RuleKind kind,
              const std::string& scope = "") {
  Rule rule;
  rule.memory_id = id;
  rule.user = kUser;
  rule.kind = kind;
  rule.text = text;
  rule.scope = scope;
  rule.sources = {{id, Role::kUser}};
  return rule;
}

TEST(RuleSelection, KeepsInstructionsOnAndPreferencesToTheirSubject) {
  const std::vector<Rule> rules = {
      MakeRule("ru_1", "always answer in metric units", RuleKind::kInstruction),
      MakeRule("ru_2", "prefers window seats on trains", RuleKind::kPreference),
      MakeRule("ru_3", "prefers tea over coffee", RuleKind::kPreference)};
  const auto selected = SelectRules(ReadQuestion("Which seat on the train?"), rules, 6);
  ASSERT_THAT(selected, SizeIs(2));
  EXPECT_EQ(selected[0].memory_id, "ru_2");
  EXPECT_EQ(selected[1].memory_id, "ru_1");
  EXPECT_EQ(selected[0].tier, Tier::kProcedural);
}

TEST(RuleSelection, PutsTheScopedInstructionThatAppliesFirstAndKeepsItsLimit) {
  const std::vector<Rule> rules = {
      MakeRule("ru_1", "use short sentences", RuleKind::kInstruction),
      MakeRule("ru_2", "give the distance in miles", RuleKind::kInstruction, "running"),
      MakeRule("ru_3", "cite a source", RuleKind::kInstruction, "medicine")};
  const auto selected = SelectRules(ReadQuestion("How was my last run?"), rules, 2);
  ASSERT_THAT(selected, SizeIs(2));
  EXPECT_EQ(selected[0].memory_id, "ru_2");
  EXPECT_EQ(selected[1].memory_id, "ru_1");
}

TEST(RuleSelection, FindsAPreferenceByTheTurnThatStatedIt) {
  const std::vector<Rule> rules = {
      MakeRule("t1", "I prefer wood to stone", RuleKind::kPreference),
      MakeRule("t2", "I prefer tea over coffee", RuleKind::kPreference)};
  const Question question = ReadQuestion("What is the cabin made of?");
  const QuestionTermCounter counter(question);
  EpisodesFound turns;
  QuestionTermCounter::Counts counts;
  counter.Add("We build a cabin, and I prefer wood to stone.", counts);
  EpisodeCandidate candidate;
  Episode episode;
  episode.interaction_id = "t1";
  candidate.episode = std::make_shared<const Episode>(std::move(episode));
  candidate.term_counts = counts.term_counts;
  candidate.length = counts.length;
  candidate.matched = true;
  turns.candidates.push_back(candidate);
  EXPECT_THAT(SelectRules(question, rules, 6), IsEmpty());
  const auto selected = SelectRules(question, rules, 6, turns);
  ASSERT_THAT(selected, SizeIs(1));
  EXPECT_EQ(selected[0].text, "I prefer wood to stone");
}

TEST(RuleSelection, PutsTheFirmerPreferenceFirst) {
  std::vector<Rule> rules = {MakeRule("ru_1", "I chose the train", RuleKind::kPreference),
                             MakeRule("ru_2", "I prefer the train", RuleKind::kPreference)};
  rules[0].confidence = 0.6;
  rules[1].confidence = 0.9;
  const auto selected = SelectRules(ReadQuestion("Which train goes north?"), rules, 6);
  ASSERT_THAT(selected, SizeIs(2));
  EXPECT_EQ(selected[0].memory_id, "ru_2");
}

TEST(RuleSelection, AddsAFewUnrelatedPreferencesWhenAdviceIsAskedFor) {
  std::vector<Rule> rules;
  for (int i = 0; i < 9; ++i) {
    rules.push_back(MakeRule("ru_" + std::to_string(i),
                             "I prefer colour " + std::to_string(i) + " in the house",
                             RuleKind::kPreference));
  }
  EXPECT_THAT(SelectRules(ReadQuestion("Can you suggest a hotel?"), rules, 10), SizeIs(6));
  EXPECT_THAT(SelectRules(ReadQuestion("When is the hotel booked?"), rules, 10), IsEmpty());
}

TEST(RuleSelection, HasNothingWhereThereIsNoRule) {
  EXPECT_THAT(SelectRules(ReadQuestion("anything"), {}, 6), IsEmpty());
}

// The turns that stated the rules, each with its cosine with the question.
EpisodesFound TurnsLike(const std::vector<std::pair<std::string, float>>& turns) {
  EpisodesFound found;
  found.statistics.documents = 50;
  for (const auto& [id, cosine] : turns) {
    Episode episode;
    episode.interaction_id = id;
    EpisodeCandidate candidate;
    candidate.episode = std::make_shared<const Episode>(std::move(episode));
    candidate.similarity = cosine;
    found.candidates.push_back(std::move(candidate));
  }
  return found;
}

TEST(RuleSelection, FindsAnInstructionByTheMeaningOfTheTurnThatStatedIt) {
  const std::vector<Rule> rules = {
      MakeRule("t1", "list the currency", RuleKind::kInstruction, "prices"),
      MakeRule("t2", "mention encryption", RuleKind::kInstruction, "data privacy"),
      MakeRule("t3", "use a table", RuleKind::kInstruction, "results")};
  const Question question = ReadQuestion("How do I keep my files safe?");
  const auto selected =
      SelectRules(question, rules, 6, TurnsLike({{"t1", 0.1F}, {"t2", 0.7F}, {"t3", 0.15F}}));
  ASSERT_THAT(selected, SizeIs(3));
  EXPECT_EQ(selected[0].memory_id, "t2");
}

TEST(RuleSelection, APreferenceThatMeansLittleOfTheQuestionStaysAway) {
  const std::vector<Rule> rules = {MakeRule("t1", "I prefer tea", RuleKind::kPreference)};
  const Question question = ReadQuestion("Where did the train stop?");
  EXPECT_THAT(SelectRules(question, rules, 6, TurnsLike({{"t1", 0.12F}, {"t2", 0.11F}})),
              IsEmpty());
}

}  // namespace
}  // namespace umbranet
