// Goal: what a person says is over ends what was known of it, and is no evidence for it. Method: a
// table of sentences, each with the retraction that must be the only fact of its predicate.
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "umbranet/extraction/fact_finder.h"

namespace umbranet {
namespace {

struct EndingCase {
  std::string_view text;
  Predicate predicate;
  std::string_view qualifier;
  std::string_view object;  // Empty: whatever it was.
};

std::string PrintToString(const EndingCase& c) {
  return std::string(c.text);
}

FactsRead FactsOf(std::string_view text) {
  const WordStream message(text);
  const EntityResolver entities;
  return FindFacts(FactContext{message, kSelfEntity, {}, {}, entities});
}

class Endings : public testing::TestWithParam<EndingCase> {};

TEST_P(Endings, RetractAndProveNothing) {
  const EndingCase& c = GetParam();
  int found = 0;
  for (const PlannedFact& fact : FactsOf(c.text).facts) {
    if (fact.predicate == c.predicate) {
      ++found;
      EXPECT_TRUE(fact.retracts) << fact.object;
      EXPECT_EQ(fact.qualifier, c.qualifier);
      EXPECT_EQ(fact.object, c.object);
      EXPECT_EQ(fact.ends_object, c.object);
    }
  }
  EXPECT_EQ(found, 1);
}

INSTANTIATE_TEST_SUITE_P(
    Sentences, Endings,
    testing::Values(
        EndingCase{"I sold my car.", Predicate::kOwns, "", "car"},
        EndingCase{"I have finally given away my piano.", Predicate::kOwns, "", "piano"},
        EndingCase{"We got rid of our boat in May.", Predicate::kOwns, "", "boat"},
        EndingCase{"I quit my job at Acme.", Predicate::kWorksAt, "", "Acme"},
        EndingCase{"I lost my job.", Predicate::kWorksAt, "", ""},
        EndingCase{"I resigned from my position at Acme.", Predicate::kWorksAt, "", "Acme"},
        EndingCase{"The dentist appointment got cancelled.", Predicate::kState,
                   "dentist appointment", ""},
        EndingCase{"My trip has been called off.", Predicate::kState, "trip", ""}));

class NoEndings : public testing::TestWithParam<std::string_view> {};

TEST_P(NoEndings, RetractNothing) {
  for (const PlannedFact& fact : FactsOf(GetParam()).facts) {
    EXPECT_FALSE(fact.retracts) << fact.object;
  }
}

INSTANTIATE_TEST_SUITE_P(Sentences, NoEndings,
                         testing::Values("Should I sell my car?", "If I sold my car I would walk.",
                                         "I lost my temper.", "I left the keys at home.",
                                         "The shop sold my favorite tea.",
                                         "She said I quit my job."));

}  // namespace
}  // namespace umbranet
