// Goal: a question is read for its subject, and its frame and kind are told apart from it.
// Method: invented questions.
#include "umbranet/memory/question.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/base/text_analysis.h"

namespace umbranet {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Lt;

TEST(Question, AsksForEachContentTermOnce) {
  const Question question = ReadQuestion("Where did the red boat, the boat of Mira, sink?");
  EXPECT_THAT(question.terms, ElementsAre("red", "boat", "mira", "sink"));
  EXPECT_THAT(question.words, Contains("where"));
}

TEST(Question, KnowsWhichTermsStandSideBySide) {
  const Question question = ReadQuestion("the piano lessons of my neighbour");
  EXPECT_THAT(question.neighbours, ElementsAre(std::pair(0U, 1U), std::pair(1U, 2U)));
}

TEST(Question, WeighsWordsThatOnlyFrameItLess) {
  const Question question = ReadQuestion("Remind me which lighthouse we talked about");
  ASSERT_THAT(question.terms, ElementsAre("remind", "lighthous", "talk"));
  EXPECT_THAT(question.term_weights, ElementsAre(Lt(1.0), 1.0, Lt(1.0)));
}

TEST(Question, AsksForRelatedWordsInThePlaceOfItsOwn) {
  const Question question = ReadQuestion("What is my job?");
  ASSERT_EQ(question.terms.front(), "job");
  const auto work = std::find(question.terms.begin(), question.terms.end(), "work");
  ASSERT_NE(work, question.terms.end());
  const auto place = static_cast<std::size_t>(work - question.terms.begin());
  EXPECT_LT(question.term_weights[place], 1.0);
  EXPECT_EQ(question.stands_for[place], 0U);
  EXPECT_EQ(question.stands_for[0], 0U);
}

TEST(Question, DoesNotAskForAWordTwiceBecauseItIsRelatedToo) {
  const Question question = ReadQuestion("job and work");
  EXPECT_EQ(std::count(question.terms.begin(), question.terms.end(), "work"), 1);
  EXPECT_EQ(question.term_weights[1], 1.0);
}

TEST(Question, AsksForTheAcronymOfItsWordsAsMuchAsForAllOfThem) {
  const Question question = ReadQuestion("Do I use two-factor authentication?");
  const auto acronym = std::find(question.terms.begin(), question.terms.end(), "2fa");
  ASSERT_NE(acronym, question.terms.end());
  const auto place = static_cast<std::size_t>(acronym - question.terms.begin());
  EXPECT_EQ(question.term_weights[place], 3.0);
  EXPECT_EQ(question.terms[question.stands_for[place]], "two");
  EXPECT_THAT(question.acronyms, Contains(std::pair<std::size_t, std::string>(place, "2FA")));
}

TEST(Question, CountsAnAcronymOnlyWhereItIsInCapitals) {
  const Question question = ReadQuestion("Is the cheap art tour on?");
  const auto acronym = std::find(question.terms.begin(), question.terms.end(), "cat");
  ASSERT_NE(acronym, question.terms.end());
  const auto place = static_cast<std::size_t>(acronym - question.terms.begin());
  const auto count = [&](std::string_view text) {
    QuestionTermCounter::Counts counts;
    QuestionTermCounter(question).Add(text, counts);
    return counts.term_counts[place];
  };
  EXPECT_EQ(count("My cat sleeps."), 0U);
  EXPECT_EQ(count("I booked the CAT."), 1U);
}

TEST(Question, RecognisesWhatAsksForADevelopment) {
  EXPECT_TRUE(ReadQuestion("Summarize how my garden went").about_development);
  EXPECT_TRUE(ReadQuestion("How did my knee evolve over time?").about_development);
  EXPECT_TRUE(ReadQuestion("List the trips in order").about_development);
  EXPECT_FALSE(ReadQuestion("Where is the order form?").about_development);
}

TEST(Question, RecognisesWhatAsksWhetherSomethingWasEverDone) {
  EXPECT_TRUE(ReadQuestion("Have I been to Lisbon before?").about_experience);
  EXPECT_TRUE(ReadQuestion("Have we ever met Theo?").about_experience);
  EXPECT_FALSE(ReadQuestion("Have I still a flat in Ghent?").about_experience);
  EXPECT_FALSE(ReadQuestion("Have I got a car?").about_experience);
  EXPECT_FALSE(ReadQuestion("Where have I been?").about_experience);
  EXPECT_FALSE(ReadQuestion("Have I drawn a timeline with Ana?").about_development)
      << "the timeline is what was drawn";
  EXPECT_TRUE(ReadQuestion("Have I grown fitter over time?").about_development);
  EXPECT_TRUE(ReadQuestion("Draw a timeline of my trips").about_development);
}

TEST(Question, RecognisesWhatAsksForThePresent) {
  EXPECT_TRUE(ReadQuestion("Where does my sister live?").about_present);
  EXPECT_TRUE(ReadQuestion("When is my appointment?").about_present);
  EXPECT_TRUE(ReadQuestion("Have I been to Lisbon before?").about_present);
  EXPECT_FALSE(ReadQuestion("Where did my sister live before?").about_present);
  EXPECT_FALSE(ReadQuestion("When did I see the dentist?").about_present);
  EXPECT_FALSE(ReadQuestion("How many days are between the exam and the trip?").about_present);
  EXPECT_FALSE(ReadQuestion("What is it that I had before?").about_present);
}

TEST(Question, RecognisesWhatAsksForATime) {
  for (const char* query :
       {"When did the bakery open?", "In which month was the trip?", "How long is the lease?",
        "What year was that?", "How many weeks are left?"}) {
    EXPECT_TRUE(ReadQuestion(query).asks_when) << query;
  }
  for (const char* query : {"What should be brought when travelling?", "How many cats are there?",
                            "Which bakery is open?", "when"}) {
    EXPECT_FALSE(ReadQuestion(query).asks_when) << query;
  }
}

TEST(Question, IsComparedWithoutTheNamesOfThoseItIsAbout) {
  const auto words = [](std::string_view query) {
    std::string said;
    for (const TextToken& token : Tokenize(QuestionToEmbed(query))) {
      said += (said.empty() ? "" : " ") + token.folded;
    }
    return said;
  };
  EXPECT_EQ(words("When did Mira visit Tom's aunt in Lyon?"), "when did visit aunt in lyon");
  EXPECT_EQ(words("What do Mira and Tom plan?"), "what do and plan");
  EXPECT_EQ(words("Was Mira Sands a nurse?"), "was a nurse");
  EXPECT_EQ(words("Mira’s lamp is which colour?"), "lamp is which colour");
  EXPECT_EQ(words("What did I say about Lyon?"), "what did i say about lyon");
  EXPECT_EQ(words("Is the tom cat back?"), "is the tom cat back");
  EXPECT_EQ(QuestionToEmbed("Who is Mira?"), "Who is Mira?");
  EXPECT_EQ(QuestionToEmbed(""), "");
}

TEST(Question, HasNoTermsWhenItSaysNothing) {
  EXPECT_THAT(ReadQuestion("").terms, IsEmpty());
  EXPECT_THAT(ReadQuestion("what is it?").terms, IsEmpty());
}

TEST(Question, KeepsABoundOnItsTerms) {
  std::string text;
  for (int i = 0; i < 1000; ++i) {
    text += "word" + std::to_string(i) + " ";
  }
  const Question question = ReadQuestion(text);
  EXPECT_EQ(question.terms.size(), kQuestionTermsMax);
  EXPECT_EQ(question.term_weights.size(), kQuestionTermsMax);
}

TEST(Question, CountsItsTermsInATextThatNoIndexHasSeen) {
  const Question question = ReadQuestion("blue kites");
  const QuestionTermCounter counter(question);
  QuestionTermCounter::Counts counts;
  counter.Add("The kite was blue, a blue kite with a tail", counts);
  EXPECT_THAT(counts.term_counts, ElementsAre(2U, 2U));
  EXPECT_EQ(counts.length, 5U);
  EXPECT_THAT(counter.Neighbours("a blue kite"), ElementsAre(true));
  EXPECT_THAT(counter.Neighbours("the kite is blue"), ElementsAre(false));
}

}  // namespace
}  // namespace umbranet
