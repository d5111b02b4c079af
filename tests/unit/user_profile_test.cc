// Goal: a profile holds what is so now, by subject, with its sources, and nothing that is over.
#include "umbranet/memory/user_profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const Timestamp kNow = *ParseTimestamp("2024-05-03T10:00:00Z");

Fact MakeFact(const std::string& id, Predicate predicate, const std::string& text,
              const std::string& subject = "user") {
  Fact fact;
  fact.memory_id = id;
  fact.subject = subject;
  fact.predicate = predicate;
  fact.text = text;
  fact.sources = {{"turn-of-" + id, Role::kUser}};
  return fact;
}

TEST(UserProfile, OfNothingIsEmpty) {
  const UserProfile profile = BuildProfile({}, {}, kNow);
  EXPECT_THAT(profile.sections, IsEmpty());
  EXPECT_EQ(profile.text, "");
}

TEST(UserProfile, PutsFactsAndRulesUnderTheirSubjectsWithTheirSources) {
  KnowledgeGraph graph;
  graph.facts = {MakeFact("f1", Predicate::kLivesIn, "the user lives in Porto"),
                 MakeFact("f2", Predicate::kName, "the user is called Ana"),
                 MakeFact("f3", Predicate::kLivesIn, "Ben lives in Lyon", "Ben")};
  graph.facts[0].valid_from = *ParseTimestamp("2024-05-02T00:00:00Z");
  MemoryItem rule;
  rule.memory_id = "r1";
  rule.text = "answer briefly";
  const UserProfile profile = BuildProfile(graph, std::vector<MemoryItem>{rule}, kNow);
  ASSERT_THAT(profile.sections, SizeIs(4));
  EXPECT_EQ(profile.sections[0].name, "identity");
  EXPECT_EQ(profile.sections[1].name, "home_and_work");
  EXPECT_EQ(profile.sections[1].lines[0].sources[0].interaction_id, "turn-of-f1");
  EXPECT_EQ(profile.sections[2].name, "others");
  EXPECT_EQ(profile.sections[3].name, "how_to_answer");
  EXPECT_THAT(profile.text, HasSubstr("- the user lives in Porto (since 2024-05-02)\n"));
  EXPECT_THAT(profile.text, HasSubstr("## How to answer\n\n- answer briefly\n"));
}

TEST(UserProfile, LeavesOutWhatIsOver) {
  KnowledgeGraph graph;
  graph.facts = {MakeFact("f1", Predicate::kLivesIn, "Lyon"),
                 MakeFact("f2", Predicate::kLivesIn, "Oslo"),
                 MakeFact("f3", Predicate::kPlan, "a trip")};
  graph.facts[0].superseded_by = "f9";
  graph.facts[1].valid_to = kNow - std::chrono::hours(1);
  graph.facts[2].valid_to = kNow + std::chrono::hours(1);
  const UserProfile profile = BuildProfile(graph, {}, kNow);
  ASSERT_THAT(profile.sections, SizeIs(1));
  EXPECT_EQ(profile.sections[0].lines[0].memory_id, "f3");
}

TEST(UserProfile, ShowsWhatWasSaidMostOftenFirstAndNoMoreThanItMay) {
  KnowledgeGraph graph;
  for (int i = 0; i < 50; ++i) {
    graph.facts.push_back(MakeFact("f" + std::to_string(i), Predicate::kLikes, "a\nthing"));
    graph.facts.back().evidence = i == 30 ? 5U : 1U;
  }
  const UserProfile profile = BuildProfile(graph, {}, kNow, 10);
  ASSERT_THAT(profile.sections[0].lines, SizeIs(10));
  EXPECT_EQ(profile.sections[0].lines[0].memory_id, "f30");
  EXPECT_THAT(profile.text, HasSubstr("- a thing\n"));
}

}  // namespace
}  // namespace umbranet
