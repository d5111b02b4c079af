// Goal: of two statements about what is asked, the later one that tells of another state bears on
// the earlier, and one that speaks of something else does not. Method: a table for each kind of
// change, with a question, what was said first and what later; every asked word weighs alike.
#include "umbranet/memory/stance.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

struct BearingCase {
  std::string_view question;
  std::string_view earlier;
  std::string_view later;
};

std::string PrintToString(const BearingCase& c) {
  return std::string(c.later);
}

Bearing BearingIn(const BearingCase& c) {
  const Question question = ReadQuestion(c.question);
  const std::vector<double>& weights = question.term_weights;
  const StanceReader reader(question, weights);
  return reader.BearingOf(reader.Read(c.earlier), reader.Read(c.later));
}

class Changes : public testing::TestWithParam<BearingCase> {};

TEST_P(Changes, Succeed) {
  EXPECT_EQ(BearingIn(GetParam()), Bearing::kSucceeds);
}

constexpr BearingCase kChanges[] = {
    // Amounts, counts, rates, times and days, with and without a word of change.
    {"What is my garden budget?", "My garden budget is $300 this year.",
     "I raised the budget for the garden to $420."},
    {"How many stamps are in my album?", "There are 45 stamps in my album.",
     "My album has 52 stamps."},
    {"How many chapters does my draft have?", "My draft has nine chapters.",
     "With the prologue my draft has grown, which makes it eleven chapters."},
    {"What pass rate does the quiz have?", "The quiz has a pass rate of 61%.",
     "The pass rate of the quiz is 70%."},
    {"How long does the ferry take?", "The ferry takes 2 hours.",
     "The ferry was sped up, it is down to 90 minutes, I mean the ferry now takes 1.5 hours."},
    {"When is my dentist appointment?", "My dentist appointment is on March 3.",
     "They moved the dentist appointment to March 9."},
    {"What time is my piano lesson?", "My piano lesson is at 4 PM.",
     "The piano lesson starts at 5:30 PM instead."},
    {"What is the deadline of the grant?", "The deadline of the grant is 12 May.",
     "I saw that the grant has a new deadline, the 20th of May."},
    {"When is my meeting with Theo?", "I have a meeting with Theo on Friday.",
     "The meeting with Theo is moved to Monday."},
    // Without a value: it will not be as it was said.
    {"When is the choir rehearsal?", "The choir rehearsal is on Monday evening.",
     "The choir rehearsal has been cancelled."},
    {"Is the choir rehearsal on Monday?", "The choir rehearsal is on Monday.",
     "The choir rehearsal on Monday was postponed."},
    {"Do I have a car?", "I have a car, a red one.", "I sold my car."},
    {"Where do I live?", "I live in Ghent.", "I don't live in Ghent anymore."},
    {"Am I training for the marathon?", "I'm training for the marathon.",
     "I gave up training for the marathon."},
    // Another name.
    {"Who leads my book club?", "My book club is led by Mira.",
     "My book club is now led by Theo, who leads it well."},
    {"Do I still rent the garage?", "I rent the garage behind the house.",
     "I no longer rent the garage."},
    // Neither amounts nor names: what was has been left for something else.
    {"How do I get to the office?", "I usually cycle to the office.",
     "Lately I take the bus to the office."},
    {"What is my favourite tea?", "My favourite tea is oolong.",
     "My favourite tea these days is rooibos."},
    {"Which editor do I use for coding?", "I use Vim for all my coding.",
     "For my coding I have switched to Emacs."},
    {"Where do I write my journal?", "I write my journal in the kitchen.",
     "I write my journal on the balcony from now on."},
    // What tells the thing from others of its kind.
    {"Which notebook do I use for the journal?", "The blue notebook is for my journal.",
     "My journal is in the red notebook."},
    {"Which shift do I work?", "I work the night shift.", "They put me on the day shift."},
    // Given up.
    {"Am I still learning the cello?", "I'm learning the cello.",
     "I gave up on the cello, it took too much time."},
    {"Am I going to run the marathon?", "I plan to run the marathon.",
     "I dropped the marathon after all."},
    {"Do I still go to the gym on Mill Street?", "My gym is on Mill Street.",
     "I cancelled the gym on Mill Street."},
};
INSTANTIATE_TEST_SUITE_P(Sentences, Changes, testing::ValuesIn(kChanges));

class Contradictions : public testing::TestWithParam<BearingCase> {};

TEST_P(Contradictions, AreToldFromChanges) {
  EXPECT_EQ(BearingIn(GetParam()), Bearing::kContradicts);
}

constexpr BearingCase kContradictions[] = {
    {"Have I ever been to Lisbon?", "I went to Lisbon with Ana in spring.",
     "I have never been to Lisbon."},
    {"Have I met Theo before?", "I met Theo at the harbour last year.", "I've never met Theo."},
    {"Have I ever been to Lisbon?", "I've never been to Lisbon.",
     "We went to Lisbon by train last year."},
    {"Have I used a sewing machine before?", "I used the sewing machine for the curtains.",
     "I'm looking for a first project, since I haven't used a sewing machine."},
};
INSTANTIATE_TEST_SUITE_P(Sentences, Contradictions, testing::ValuesIn(kContradictions));

class OtherMatters : public testing::TestWithParam<BearingCase> {};

TEST_P(OtherMatters, BearOnNothing) {
  EXPECT_EQ(BearingIn(GetParam()), Bearing::kNone);
}

constexpr BearingCase kOtherMatters[] = {
    // The same value again, another thing, another kind of value.
    {"How many stamps are in my album?", "There are 45 stamps in my album.",
     "I counted the stamps in my album, 45 stamps."},
    {"How many stamps are in my album?", "There are 45 stamps in my album.",
     "I bought 12 frames for the photos."},
    {"What is my garden budget?", "My garden budget is $300.",
     "The garden has 12 beds in my budget plan."},
    {"How many stamps are in my album?", "There are 45 stamps in my album.",
     "```\nstamps = album.load(52)  # 52 stamps\n```"},
    {"Which version runs on the server?", "The server has 5 users.", "The server runs v5.3.1."},
    // The past, lists and sums are answered by more than the latest.
    {"How many stamps did I have in my album?", "There are 45 stamps in my album.",
     "My album has 52 stamps."},
    {"What different budgets do I have?", "My garden budget is $300.", "My budget is now $420."},
    {"How many days are between the rehearsal and the concert?",
     "The rehearsal is 3 days before the concert.", "The rehearsal is now 5 days off the concert."},
    // Two of a kind may be at a time, and what was done stays done.
    {"Who do I work with?", "I'm working with Ana on the budget.",
     "I'm working with Tom on the website."},
    {"What am I concerned about?", "I'm concerned about the noise.",
     "I'm concerned about the rent."},
    {"Which notebook do I use?", "I use the blue notebook.", "I bought a new notebook."},
    {"Which board games do I play?", "I play old board games.", "We play card games."},
    {"What class has Ana taken?", "Ana took a pottery class.", "Ana took a drawing class."},
    {"Have I ever played the cello?", "I played the cello at school.", "I gave up the cello."},
    {"Am I still learning the cello?", "I'm learning the cello.", "I stopped smoking."},
    // Not knowing is no denial, a wish no deed.
    {"Have I ever been to Lisbon?", "I went to Lisbon in spring.",
     "I'm not sure what to see in Lisbon."},
    {"Have I ever been to Lisbon?", "I've never been to Lisbon.", "I want to go to Lisbon."},
    {"Have I met Theo before?", "I met Theo at the harbour.", "I have never met Kim."},
};
INSTANTIATE_TEST_SUITE_P(Sentences, OtherMatters, testing::ValuesIn(kOtherMatters));

TEST(Stance, ReadsTheClauseBehindTheOneThatIsAskedAbout) {
  const Question question = ReadQuestion("How many commits are in the main branch?");
  const StanceReader reader(question, question.term_weights);
  const Stance stance = reader.Read("We merged commits into the main branch, which reached 165.");
  ASSERT_EQ(stance.values.size(), 1U);
  EXPECT_EQ(stance.values[0].kind, "count:");
  EXPECT_EQ(stance.values[0].value, "165");
  EXPECT_TRUE(stance.changes);
}

TEST(Stance, HasNothingToSayWhereNothingIsSaid) {
  const Question question = ReadQuestion("When is it?");
  const StanceReader reader(question, question.term_weights);
  for (const std::string_view text : {"", "?!", "```", "12 12 12", "\xFF\xFE"}) {
    const Stance stance = reader.Read(text);
    EXPECT_EQ(stance.terms, 0U);
    EXPECT_EQ(reader.BearingOf(stance, stance), Bearing::kNone);
  }
}

}  // namespace
}  // namespace umbranet
