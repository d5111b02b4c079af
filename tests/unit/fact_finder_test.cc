// Goal: what people say of themselves and of others becomes facts under the right subject and
// predicate; what is asked, supposed, reported or denied does not.
// Method: a table of sentences said by the user on Wednesday 14 June 2023, each with one fact in
// the form "subject predicate[qualifier] object" that must be among those found, marks included:
// "!" negated, "-" retracts, "+" supersedes. A second table lists sentences that must yield
// nothing.
#include "umbranet/extraction/fact_finder.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace umbranet {
namespace {

const Timestamp kNow = FromUnixMillis(1686738600000);  // 2023-06-14T10:30:00Z, a Wednesday

FactsRead FactsOf(std::string_view text, std::string_view self = kSelfEntity,
                  const EntityResolver& entities = {}) {
  const WordStream message(text);
  const auto times = FindTimeExpressions(text, kNow);
  return FindFacts(FactContext{message, self, kNow, times, entities});
}

std::string Show(const PlannedFact& fact) {
  std::string text = fact.subject + ' ' + std::string(PredicateName(fact.predicate));
  if (!fact.qualifier.empty()) {
    text += '[' + fact.qualifier + ']';
  }
  text += ' ' + fact.object;
  return text + (fact.negated ? " !" : "") + (fact.retracts ? " -" : "") +
         (fact.supersedes ? " +" : "");
}

struct FactCase {
  std::string_view text;
  std::string_view fact;
};

std::string PrintToString(const FactCase& c) {
  return std::string(c.text);
}

class StatedFacts : public testing::TestWithParam<FactCase> {};

TEST_P(StatedFacts, AreFoundUnderTheirSubjectAndPredicate) {
  const FactCase& c = GetParam();
  const FactsRead found = FactsOf(c.text);
  std::string all;
  for (const PlannedFact& fact : found.facts) {
    if (Show(fact) == c.fact) {
      EXPECT_FALSE(fact.text.empty());
      return;
    }
    all += Show(fact) + "; ";
  }
  FAIL() << "\"" << c.fact << "\" is not among: " << all;
}

constexpr FactCase kFacts[] = {
    {"My name is Theo.", "user name Theo +"},
    {"I'm 34 years old.", "user age 34 +"},
    {"I just turned 40!", "user age 40 +"},
    {"I am from Ghent.", "user origin Ghent"},
    {"I grew up in Split.", "user origin Split"},
    {"I was born in a small village.", "user origin small village"},
    {"I live in Porto.", "user lives_in Porto"},
    {"We live near the harbour.", "user lives_in harbour"},
    {"I moved to Lyon last spring.", "user lives_in Lyon +"},
    {"I'm moving to Oslo next month.", "user plan move to Oslo"},
    {"I work as a nurse.", "user works_as nurse"},
    {"I work at the city library.", "user works_at city library"},
    {"I'm a recording engineer.", "user works_as recording engineer"},
    {"I teach chemistry.", "user works_as teach chemistry"},
    {"I started a new job as a baker.", "user works_as baker +"},
    {"I no longer work at Brightwell.", "user works_at Brightwell -"},
    {"I don't work at Brightwell anymore.", "user works_at Brightwell -"},
    {"I retired last year.", "user works_as retired +"},
    {"I'm studying marine biology.", "user studies marine biology"},
    {"I'm a student at the moment.", "user studies student"},
    {"I go to high school.", "user studies high school"},
    {"I have a degree in physics.", "user studies degree in physics"},
    {"My sister Ana lives in Porto.", "Ana lives_in Porto"},
    {"My sister Ana lives in Porto.", "user relation[sister] Ana"},
    {"My sister's name is Ana.", "user relation[sister] Ana"},
    {"Ana is my sister.", "user relation[sister] Ana"},
    {"Ana, my sister, is a vet.", "Ana works_as vet"},
    {"I have two brothers.", "user relation[brother] two brothers"},
    {"I have a son named Milo.", "user relation[son] Milo"},
    {"Tom's wife is called Rita.", "Tom relation[wife] Rita"},
    {"My brother's dog is old.", "my brother has_pet[dog] my brother's dog"},
    {"My parents live in Spain.", "my parents lives_in Spain"},
    {"My mom is a dentist. She loves opera.", "my mother likes opera"},
    {"I'm married to Paul.", "user relation[spouse] Paul"},
    {"I got divorced in May.", "user relationship_status divorced +"},
    {"We broke up.", "user relationship_status single +"},
    {"I have a dog named Rex.", "user has_pet[dog] Rex"},
    {"I have three cats and a dog.", "user has_pet[dog] dog"},
    {"I got a puppy two weeks ago! Her name's Coco.", "user has_pet[puppy] Coco"},
    {"My iguana needs a lamp.", "user has_pet[iguana] my iguana"},
    {"I don't have any pets.", "user has_pet pets !"},
    {"I drive a red Volvo.", "user owns red Volvo"},
    {"I bought a piano.", "user owns piano"},
    {"My motorcycle is fast.", "user owns motorcycle"},
    {"I love ice cream.", "user likes ice cream"},
    {"I really enjoy talking on the phone.", "user likes talking on the phone"},
    {"I like dogs and cats.", "user likes cats"},
    {"I'm into board games.", "user likes board games"},
    {"I hate mushrooms.", "user dislikes mushrooms"},
    {"I don't like heights.", "user dislikes heights"},
    {"I'm afraid of spiders.", "user dislikes spiders"},
    {"My favorite color is teal.", "user favorite[color] teal"},
    {"Pasta is my favorite food.", "user favorite[food] Pasta"},
    {"I play the cello.", "user hobby cello"},
    {"I collect stamps.", "user hobby stamps"},
    {"I hike every weekend.", "user hobby hike"},
    {"I used to smoke.", "user hobby smoke -"},
    {"I can juggle and swim.", "user skill swim"},
    {"I speak Greek and French.", "user skill speaks Greek"},
    {"I'm good at chess.", "user skill chess"},
    {"I want to be a pilot.", "user wants[become] pilot"},
    {"I'm allergic to peanuts.", "user health[allergy] peanuts"},
    {"I'm vegan.", "user health[diet] vegan"},
    {"I have asthma.", "user health asthma"},
    {"I have long brown hair.", "user physical long brown hair"},
    {"My eyes are green.", "user physical green eyes"},
    {"I'm tall.", "user physical tall"},
    {"I'm a Buddhist.", "user belief Buddhist"},
    {"I joined a choir.", "user member choir"},
    {"I play in a band.", "user member band"},
    {"I visited Kyoto in 2019.", "user visited Kyoto"},
    {"My dentist appointment is on Monday.", "user state[dentist appointment] Monday"},
    {"The deadline is now 15 July.", "user state[deadline] 15 July +"},
    {"I signed the lease on Friday.", "user event signed the lease on Friday"},
    {"In my free time I knit.", "user hobby knit"},
    {"Call me Theo.", "user name[called] Theo"},
    {"I'm Theo.", "user name Theo +"},
    {"I like hiking, swimming and my garden.", "user likes swimming"},
    {"I can't stand lukewarm tea.", "user dislikes lukewarm tea"},
    {"I'm in the navy.", "user works_at navy"},
    {"I do yoga.", "user hobby yoga"},
    {"I love living in Colorado.", "user lives_in Colorado"},
    {"As a devout Catholic I fast in spring.", "user belief Catholic"},
    {"What is your favorite color? Mine is teal.", "user favorite[color] teal"},
    {"Do you like sushi? I love it.", "user likes sushi"},
    {"My wife and I constantly travel.", "user hobby travel"},
    {"I'm studying to be a doctor.", "user wants[become] doctor"},
    {"I have always wanted to be a judge.", "user wants[become] judge"},
    {"We agreed on an increased budget of $650.", "user state[budget] $650 +"},
    {"I'm 6 ft tall.", "user physical tall"},
    // Objects that stand before their statement.
    {"Gossip is what I hate.", "user dislikes Gossip"},
    {"The clinic where I work is old.", "user works_at clinic"},
    {"The company I work for is called Acme.", "user works_at Acme"},
    {"Oregon is the state I live in.", "user lives_in Oregon"},
    {"The boat I own is old.", "user owns boat"},
    {"The shop I work at sells tea.", "user works_at shop"},
    // Tastes told by nouns and set phrases.
    {"I'm a huge jazz fan.", "user likes jazz"},
    {"I'm not a fan of jazz.", "user dislikes jazz"},
    {"I am not a dog person.", "user dislikes dog"},
    {"Running is my passion.", "user likes Running"},
    {"My hobbies are chess and sewing.", "user likes sewing"},
    {"Camping is not my thing.", "user dislikes Camping"},
    {"I have a weakness for figs.", "user likes figs"},
    {"I can't live without tea.", "user likes tea"},
    {"I spend most of my money on books.", "user likes books"},
    {"I like everything except celery.", "user dislikes celery"},
    {"Okra is disgusting.", "user dislikes Okra"},
    {"Baking is fun.", "user likes Baking"},
    {"Do you like opera? I do.", "user likes opera"},
    {"Do you like opera? I do not.", "user dislikes opera"},
    {"I would prefer walking.", "user likes walking"},
    {"I just had plum cake. It's my favorite!", "user favorite plum cake"},
    {"I got a teal scarf, my favorite color.", "user favorite[color] teal"},
    {"Love hiking!", "user likes hiking"},
    {"I like to play in the snow.", "user likes play in the snow"},
    {"I love hanging out with my cousins.", "user likes hanging out with my cousins"},
    // Lives, told shortly or in passing.
    {"Just moved to Malmo!", "user lives_in Malmo +"},
    {"We live in a small flat in Ghent.", "user lives_in Ghent"},
    {"It is cold here in Oslo.", "user lives_in Oslo"},
    {"I work for Acme as a translator.", "user works_as translator"},
    {"I'm a nurse at the clinic.", "user works_at clinic"},
    {"My factory job is dull.", "user works_at factory"},
    {"I was in the army.", "user works_at army"},
    {"That's why I work at the mill.", "user works_at mill"},
    {"I got a law degree.", "user studies law degree"},
    {"I just graduated.", "user studies[graduated] graduated"},
    {"I dropped out of college.", "user studies[dropped out] dropped out"},
    {"Dario studies physics at Oslo University.", "Dario studies Oslo University"},
    {"I went vegan last year.", "user health[diet] vegan +"},
    {"I'm on a keto diet.", "user health[diet] keto"},
    {"I broke my arm.", "user health[injury] broken arm"},
    {"She is tall. I had surgery.", "user health surgery"},
    {"I dyed my hair pink.", "user physical pink hair"},
    {"I'm terrible at chess.", "user skill chess !"},
    {"I can't swim.", "user skill swim !"},
    {"I'm a good cook.", "user skill cook"},
    {"I'm an aspiring singer.", "user wants[become] singer"},
    {"I'm an only child.", "user relation[sibling] siblings !"},
    {"Two sons. They are loud.", "user relation[son] Two sons"},
    {"I have two brothers, three sisters.", "user relation[sister] three sisters"},
    {"I was walking with my dogs and cats.", "user has_pet[cat] my cats"},
    {"My daughter's favorite food is pizza.", "my daughter favorite[food] pizza"},
    {"My son is five years old.", "my son age five +"},
    {"My sister asked me to come.", "user relation[sister] my sister"},
    {"I used to own a boat.", "user owns boat -"},
    {"My uncle was a sailor.", "my uncle state was sailor"},
    {"Mice in general are not my thing.", "user dislikes Mice"},
    {"My biggest worry? Wasps scare me.", "user dislikes Wasps"},
    {"I like anything but liver.", "user dislikes liver"},
    {"I enjoy taking the dog out and reading crime novels.", "user likes reading crime novels"},
    {"I love chess, rowing, and hiking too.", "user likes hiking"},
    {"I like Emma its my favorite book.", "user likes Emma"},
    {"Plums and figs are my favorites.", "user favorite figs"},
    {"I have my own boat at last, my own boat!", "user owns boat"},
    {"I play the cello what about you?", "user hobby cello"},
    {"I'm in a band and we tour in May.", "user member band"},
    {"I wear glasses.", "user physical glasses"},
    {"My favorite color is now teal.", "user favorite[color] teal"},
    {"My new boss is Theo.", "user relation[boss] Theo +"},
    {"My boss is Theo.", "user relation[boss] Theo"},
    {"I'm working with Ana on the budget.", "user other[works with] Ana"},
    {"I don't run any more.", "user hobby running -"},
    {"We don't play tennis anymore.", "user hobby tennis -"},
    {"I don't drink coffee any more.", "user likes coffee -"},
    {"I no longer want to become a pilot.", "user wants[become] pilot -"},
    {"I stopped doing keto.", "user health[diet] keto -"},
    {"I went vegan.", "user health[diet] vegan +"},
    {"I eat healthy.", "user health[diet] healthy"},
    {"I'm a florist in a flower shop.", "user works_at flower shop"},
    {"I work in a smoothie shop.", "user works_at smoothie shop"},
    {"I just got a pet fish.", "user has_pet pet fish"},
    {"I speak six languages.", "user skill speaks six languages"},
    {"We bought a house in Porto.", "user lives_in Porto"},
    {"I have an apartment in the city.", "user lives_in city"},
    {"I cook at a small diner.", "user works_at small diner"},
    {"I'm a movie theater employee.", "user works_at movie theater"},
    {"I work from home for a bank.", "user works_at bank"},
    {"My brother is employed at Best Buy.", "my brother works_at Best Buy"},
    {"My coffee shop job is dull.", "user works_at coffee shop"},
    {"I'm a technician with two brothers.", "user relation[brother] two brothers"},
    {"I got two nephews.", "user relation[nephew] two nephews"},
    {"Being six foot tall I see well.", "user physical six foot tall"},
    {"My dream is to become a pilot.", "user wants[become] pilot"},
    {"I'm in school to be a vet.", "user wants[become] vet"},
    {"I have a pet clown fish.", "user has_pet pet clown fish"},
    {"My car is a Civic.", "user owns Civic"},
    {"My pickup truck broke down.", "user owns pickup truck"},
    {"I drive a Pathfinder.", "user owns Pathfinder"},
    {"I love anything by Austen.", "user likes Austen"},
    {"I go on long walks.", "user hobby long walks"},
    {"My biggest fear is spiders.", "user dislikes spiders"},
    {"I can't get enough of ramen.", "user likes ramen"},
    {"My arm was broken.", "user health[injury] broken arm"},
    {"My left leg hurts.", "user health[injury] left leg hurts"},
    {"My degree is in marketing.", "user studies marketing"},
    {"I'm only in middle school.", "user studies middle school"},
    {"Do you like comics I do", "user likes comics"},
    {"Do you like to dance? I do.", "user likes dance"},
    {"Do you watch cricket? I love that sport.", "user likes cricket"},
    {"I love to travel and wish I could more.", "user likes travel"},
    {"What color do you like best? Mine is teal.", "user favorite[color] teal"},
    {"I just had ramen my favorite", "user favorite ramen"},
};
INSTANTIATE_TEST_SUITE_P(Sentences, StatedFacts, testing::ValuesIn(kFacts));

class NoFacts : public testing::TestWithParam<std::string_view> {};

TEST_P(NoFacts, ComeFromWhatIsNotClaimed) {
  const FactsRead found = FactsOf(GetParam());
  EXPECT_TRUE(found.facts.empty()) << Show(found.facts.front());
}

constexpr std::string_view kNoFacts[] = {
    "Do I live in Porto?",
    "Do you have a dog?",
    "If I lived in Rome, I would be happy.",
    "I wish I had a boat.",
    "Imagine I am a pilot.",
    "She said I work at the bank.",
    "They think I love opera.",
    "I might move to Oslo.",
    "I would live in Oslo.",
    "What do you like?",
    "The sign said \"I live in a very big house by the sea\".",
    "```\nmy dog = Dog('Rex')\n```",
    "You live in Porto.",
    "I love it!",
    "I know.",
    "That's a good idea.",
    "Never call me Bob.",
    "Call me later.",
    "He is living in Rome.",
    "Dogs can be loud.",
    "I almost bought a car.",
    "I doubt that I own a tent.",
    "I could be a pilot.",
    "Suppose I was a doctor.",
    "What if I moved to Lisbon?",
    "When I am a doctor, I will help.",
    "I'd hate to live in Paris.",
    "You said I like tea.",
    "My friend says he is a doctor.",
    "Is my friend a nurse?",
    "My family is great.",
    "I met a friend of my father.",
    "As an AI language model you have no pets.",
    "I can't sing tonight.",
    "Love you!",
    "Two dogs are barking outside.",
    "I am here in Oslo on vacation.",
    "Vegan food is everywhere.",
    "I cancelled my gym membership.",
    "I have a job.",
    "I am going to the lake with two friends.",
    "I am proud to be a nurse.",
    "I have a hard time keeping eye contact.",
    "Do you know I love what you do?",
};
INSTANTIATE_TEST_SUITE_P(Sentences, NoFacts, testing::ValuesIn(kNoFacts));

TEST(FactFinder, ADatedFactBeginsWithItsDate) {
  const FactsRead found = FactsOf("I moved to Lyon on 3 May 2023.");
  ASSERT_EQ(found.facts.size(), 1U);
  EXPECT_EQ(found.facts[0].valid_from, ParseTimestamp("2023-05-03T00:00:00Z"));
}

TEST(FactFinder, AnotherSpeakerSpeaksOfThemselves) {
  const FactsRead found = FactsOf("I live in Turku with my aunt.", "Nora");
  ASSERT_FALSE(found.facts.empty());
  for (const PlannedFact& fact : found.facts) {
    EXPECT_EQ(fact.subject, "Nora");
  }
}

TEST(FactFinder, ADescriptionStaysOneSinceTheStoreKnowsWhomItMeans) {
  EntityResolver known;
  known.Learn({"Ana", EntityType::kPerson, {"my sister"}});
  const FactsRead found = FactsOf("My sister works at a bakery.", kSelfEntity, known);
  ASSERT_FALSE(found.facts.empty());
  EXPECT_EQ(found.facts.back().subject, "my sister");
}

TEST(FactFinder, ASecondSisterDoesNotTakeTheFirstOnesDescription) {
  EntityResolver known;
  known.Learn({"Ana", EntityType::kPerson, {"my sister"}});
  const FactsRead found = FactsOf("My sister Rita is a judge.", kSelfEntity, known);
  ASSERT_FALSE(found.entities.empty());
  for (const PlannedEntity& entity : found.entities) {
    EXPECT_TRUE(entity.aliases.empty()) << entity.name;
  }
}

TEST(FactFinder, ACorrectionSaysTheLastDatedFactAgain) {
  const FactsRead before = FactsOf("My dentist appointment is on Monday.");
  const std::string_view text = "Actually it's Tuesday.";
  const WordStream message(text);
  const auto times = FindTimeExpressions(text, kNow, {.preference = TimePreference::kFuture});
  const EntityResolver entities;
  const auto corrected =
      ReadCorrection(FactContext{message, kSelfEntity, kNow, times, entities}, before.facts);
  ASSERT_TRUE(corrected.has_value());
  EXPECT_EQ(corrected->object, "Tuesday");
  EXPECT_EQ(corrected->qualifier, "dentist appointment");
  EXPECT_EQ(corrected->ends_object, "Monday");
  EXPECT_TRUE(corrected->supersedes);
}

TEST(FactFinder, WithoutAnEarlierDateNothingIsCorrected) {
  const std::string_view text = "Actually it's Tuesday.";
  const WordStream message(text);
  const auto times = FindTimeExpressions(text, kNow);
  const EntityResolver entities;
  EXPECT_FALSE(
      ReadCorrection(FactContext{message, kSelfEntity, kNow, times, entities}, {}).has_value());
}

TEST(FactFinder, AMessageOfManyFactsIsBounded) {
  std::string text;
  for (int i = 0; i < 3000; ++i) {
    text += "I like thing" + std::to_string(i) + " and my dog. ";
  }
  EXPECT_LE(FactsOf(text).facts.size(), 24U);
}

}  // namespace
}  // namespace umbranet
