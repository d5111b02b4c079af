// Goal: one list out of what all tiers found, in the order in which it answers the question.
// Method: small invented conversations, counted as a store would count them.
#include "umbranet/memory/ranking.h"

#include <algorithm>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/base/text_analysis.h"
#include "umbranet/memory/pending_turns.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::int64_t kDayMs = 86'400'000;
const UserKey kUser{"default", "mira"};

Timestamp Day(int day) {
  return FromUnixMillis(1'700'000'000'000 + day * kDayMs);
}

std::vector<std::string> Texts(const std::vector<RankedItem>& items) {
  std::vector<std::string> texts;
  for (const RankedItem& item : items) {
    texts.push_back(item.item.text);
  }
  return texts;
}

// Holds what the tiers of one user would find, with true statistics.
class Corpus {
 public:
  Corpus& Say(const std::string& text, const std::string& session = "s1",
              const std::string& speaker = "User") {
    ++turns_;
    AddEpisode(text, Role::kUser, session, speaker);
    return *this;
  }

  Corpus& Answer(const std::string& text) {
    AddEpisode(text, Role::kAssistant, episodes_.back().session_id, "Assistant");
    return *this;
  }

  Fact& AddFact(const std::string& id, const std::string& text, int turn) {
    Fact fact;
    fact.memory_id = id;
    fact.user = kUser;
    fact.text = text;
    fact.occurred_at = Day(turn);
    fact.sources = {{"t" + std::to_string(turn), Role::kUser}};
    facts_.push_back(fact);
    return facts_.back();
  }

  void Pend(const std::string& text, int turn, const std::string& answer = "",
            Origin origin = Origin::kRecorded) {
    Interaction turn_row;
    turn_row.interaction_id = "t" + std::to_string(turn);
    turn_row.user = kUser;
    turn_row.session_id = "s1";
    turn_row.user_message = text;
    turn_row.assistant_response = answer;
    turn_row.origin = origin;
    turn_row.occurred_at = Day(turn);
    turn_row.sequence = turn;
    pending_.Add(turn_row);
  }

  std::vector<RankedItem> Ask(const std::string& query, std::size_t limit = 10,
                              std::optional<Timestamp> as_of = std::nullopt,
                              const std::vector<MemoryItem>& rules = {}) const {
    const Question question = ReadQuestion(query);
    const QuestionTermCounter counter(question);
    RankingInput input;
    input.limit = limit;
    input.as_of = as_of;
    input.pending = pending_.Search(question.terms, as_of);
    input.rules = rules;
    for (const Episode& episode : episodes_) {
      QuestionTermCounter::Counts counts;
      counter.Add(episode.text, counts);
      counter.AddTerms(AnalyzeName(episode.speaker), counts);
      counter.AddTerms(DateTerms(episode.occurred_at), counts);
      Count(counts, episode.role == Role::kUser ? input.episodes.statistics
                                                : input.episodes.assistant_statistics);
      input.episodes.candidates.push_back({.episode = std::make_shared<const Episode>(episode),
                                           .term_counts = counts.term_counts,
                                           .length = counts.length,
                                           .matched = true});
    }
    for (const Fact& fact : facts_) {
      QuestionTermCounter::Counts counts;
      counter.Add(fact.text, counts);
      Count(counts, input.facts.statistics);
      input.facts.candidates.push_back(
          {.fact = fact, .term_counts = counts.term_counts, .length = counts.length});
    }
    return RankMemories(question, std::move(input));
  }

 private:
  void AddEpisode(const std::string& text, Role role, const std::string& session,
                  const std::string& speaker) {
    Episode episode;
    episode.interaction_id = "t" + std::to_string(turns_);
    episode.memory_id = "ep_" + episode.interaction_id + std::string(RoleName(role));
    episode.user = kUser;
    episode.role = role;
    episode.session_id = session;
    episode.speaker = speaker;
    episode.text = text;
    episode.occurred_at = Day(turns_);
    episode.sequence = turns_;
    episodes_.push_back(episode);
  }

  static void Count(const QuestionTermCounter::Counts& counts, CorpusStatistics& statistics) {
    statistics.document_frequency.resize(counts.term_counts.size());
    for (std::size_t i = 0; i < counts.term_counts.size(); ++i) {
      statistics.document_frequency[i] += counts.term_counts[i] > 0 ? 1U : 0U;
    }
    const auto before = static_cast<double>(statistics.documents);
    statistics.length_mean = (statistics.length_mean * before + counts.length) / (before + 1);
    ++statistics.documents;
  }

  int turns_ = 0;
  std::vector<Episode> episodes_;
  std::vector<Fact> facts_;
  PendingIndex pending_;
};

TEST(Ranking, PutsTheTurnFirstThatSaysMostOfWhatIsAsked) {
  const Corpus corpus = Corpus()
                            .Say("The kettle in the kitchen is broken.", "s1")
                            .Say("I planted tomatoes on the balcony.", "s2")
                            .Say("The kitchen needs a new lamp.", "s3");
  EXPECT_EQ(Texts(corpus.Ask("Which kettle was broken in the kitchen?")).front(),
            "The kettle in the kitchen is broken.");
}

TEST(Ranking, WeighsRareWordsMoreThanCommonOnes) {
  Corpus corpus;
  for (int i = 0; i < 20; ++i) {
    corpus.Say("My garden got rain again.", "s" + std::to_string(i));
  }
  corpus.Say("The hedgehog sleeps.", "x");
  EXPECT_EQ(Texts(corpus.Ask("garden hedgehog")).front(), "The hedgehog sleeps.");
}

TEST(Ranking, ReachesWhatIsToldUnderARelatedWord) {
  const Corpus corpus =
      Corpus().Say("I work as a nurse.", "s1").Say("I took a nap.", "s2").Say("It rains.", "s3");
  EXPECT_THAT(Texts(corpus.Ask("What is my job?")), ElementsAre("I work as a nurse."));
}

TEST(Ranking, PrefersTheWordThatIsAskedForToARelatedOne) {
  const Corpus corpus = Corpus()
                            .Say("Work was fine and the work is done, so much work.", "s1")
                            .Say("My job is in a bakery.", "s2");
  EXPECT_EQ(Texts(corpus.Ask("What is my job?")).front(), "My job is in a bakery.");
}

TEST(Ranking, FindsAnAnswerBehindTheQuestionThatNamesItsSubject) {
  const Corpus corpus = Corpus()
                            .Say("Which instrument do you play?", "s1", "Tom")
                            .Say("The cello, since I was nine.", "s1", "Mira")
                            .Say("Trains are late today.", "s2", "Tom")
                            .Say("I like walking.", "s3", "Mira");
  EXPECT_EQ(Texts(corpus.Ask("What instrument does Mira play?")).front(),
            "The cello, since I was nine.");
}

TEST(Ranking, PrefersTheSpeakerWhomTheQuestionNames) {
  const Corpus corpus =
      Corpus().Say("I bought a bicycle.", "s1", "Tom").Say("I bought a bicycle.", "s2", "Mira");
  EXPECT_EQ(corpus.Ask("Did Mira buy a bicycle?").front().speaker, "Mira");
  EXPECT_EQ(corpus.Ask("Did Tom buy a bicycle?").front().speaker, "Tom");
}

TEST(Ranking, StillAnswersAQuestionThatIsOnlyAName) {
  const Corpus corpus = Corpus().Say("I bought a bicycle.", "s1", "Tom").Say("Hi!", "s2", "Mira");
  EXPECT_EQ(corpus.Ask("Mira?").front().speaker, "Mira");
}

TEST(Ranking, PutsWhatTheUserSaidBeforeALongAnswerAboutIt) {
  std::string lecture = "Kayaks come in many shapes. ";
  for (int i = 0; i < 30; ++i) {
    lecture += "A kayak has a hull and a paddle, and paddling a kayak takes practice. ";
  }
  const Corpus corpus =
      Corpus().Say("My kayak is green, which paddle fits?").Answer(lecture).Say("Thanks a lot");
  EXPECT_EQ(corpus.Ask("What color is my kayak?").front().item.sources.front().role, Role::kUser);
}

TEST(Ranking, LeavesOutWhatHasNothingToDoWithTheQuestion) {
  const Corpus corpus = Corpus().Say("The cat sleeps.", "s1").Say("It rains.", "s2");
  EXPECT_THAT(Texts(corpus.Ask("cat")), ElementsAre("The cat sleeps."));
  EXPECT_THAT(corpus.Ask("submarine"), IsEmpty());
  EXPECT_THAT(corpus.Ask("what is it?"), IsEmpty());
}

TEST(Ranking, FindsTurnsThatAreNotReflectedYet) {
  Corpus corpus;
  corpus.Say("My aunt bakes bread.", "s2");
  corpus.Pend("My locker code is 4417.", 7);
  const auto items = corpus.Ask("What is the code of my locker?");
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(items[0].item.memory_id, "st_t7");
  EXPECT_EQ(items[0].item.tier, Tier::kShortTerm);
}

TEST(Ranking, ShowsATurnOnceThatIsPendingAndReflected) {
  Corpus corpus;
  corpus.Say("My locker code is 4417.");
  corpus.Pend("My locker code is 4417.", 1);
  const auto items = corpus.Ask("locker code");
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(items[0].item.tier, Tier::kEpisodic);
}

TEST(Ranking, DoesNotRecallItsOwnQuotations) {
  Corpus corpus;
  corpus.Pend("Where is my bicycle?", 3, "You told me: the bicycle is in the cellar.",
              Origin::kOfflineChat);
  for (const RankedItem& item : corpus.Ask("bicycle cellar")) {
    EXPECT_EQ(item.item.sources.front().role, Role::kUser);
  }
}

TEST(Ranking, LetsAFactStandForTheTurnItComesFrom) {
  Corpus corpus;
  corpus.Say("By the way, my sister Ana lives in Porto these days.", "s1").Say("Fine.", "s2");
  corpus.AddFact("fa_1", "my sister Ana lives in Porto", 1);
  const auto items = corpus.Ask("Where does my sister live?");
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(items[0].item.memory_id, "fa_1");
  EXPECT_EQ(items[0].item.tier, Tier::kSemantic);
}

TEST(Ranking, KeepsTheTurnWhereItSaysMoreThanItsFact) {
  Corpus corpus;
  corpus.Say("My sister Ana lives in Porto with two parrots.", "s1").Say("Fine.", "s2");
  corpus.AddFact("fa_1", "my sister Ana lives in Porto", 1);
  EXPECT_THAT(Texts(corpus.Ask("Who keeps parrots in Porto?")),
              ElementsAre("My sister Ana lives in Porto with two parrots."));
}

TEST(Ranking, NamesOfAFactsSourcesTheOnesThatFitTheQuestion) {
  Corpus corpus;
  corpus.Say("We had soup with my sister.", "s1")
      .Say("My sister Ana lives in Porto.", "s2")
      .Say("Cold today.", "s3");
  Fact& fact = corpus.AddFact("fa_1", "my sister Ana lives in Porto", 1);
  fact.sources = {{"t1", Role::kUser}, {"t2", Role::kUser}, {"t3", Role::kUser}};
  const auto items = corpus.Ask("Where does my sister live?");
  ASSERT_FALSE(items.empty());
  EXPECT_EQ(items[0].item.memory_id, "fa_1");
  EXPECT_THAT(items[0].item.sources, ElementsAre(SourceRef{"t2", Role::kUser}));
  EXPECT_EQ(items[0].speaker, "User");
}

TEST(Ranking, PutsASupersededFactBelowItsSuccessorAndSaysSo) {
  Corpus corpus;
  corpus.Say("I live in Ghent, in a flat where I live alone.", "s1").Say("I moved to Lyon.", "s2");
  corpus.AddFact("fa_old", "lives in Ghent", 1).superseded_by = "fa_new";
  corpus.AddFact("fa_new", "lives in Lyon", 2);
  const auto items = corpus.Ask("Where do I live?");
  ASSERT_THAT(items, SizeIs(2));
  EXPECT_EQ(items[0].item.memory_id, "fa_new");
  EXPECT_EQ(items[1].item.memory_id, "fa_old");
  EXPECT_EQ(items[1].item.superseded_by, "fa_new");
  EXPECT_GT(items[0].item.score, items[1].item.score);
}

TEST(Ranking, PutsTheTurnOfTheNewValueAboveTheTurnOfTheOldOne) {
  Corpus corpus;
  corpus.Say("The choir rehearsal in the town hall is on Tuesday evening.", "s1")
      .Say("The rehearsal moved, it is on Friday from here on.", "s2");
  corpus.AddFact("fa_old", "weekday: Tuesday", 1).superseded_by = "fa_new";
  corpus.AddFact("fa_new", "weekday: Friday", 2);
  const auto items = corpus.Ask("When was the choir rehearsal in the town hall?");
  ASSERT_GE(items.size(), 2U);
  EXPECT_EQ(items[0].item.sources.front().interaction_id, "t2");
}

TEST(Ranking, AnswersAsOfAnEarlierDay) {
  Corpus corpus;
  corpus.Say("I live in Ghent.", "s1").Say("I moved to Lyon, I live there with my dog.", "s2");
  corpus.Pend("I live in Oslo.", 3);
  Fact& old = corpus.AddFact("fa_old", "lives in Ghent", 1);
  old.superseded_by = "fa_new";
  old.valid_to = Day(2);
  corpus.AddFact("fa_new", "lives in Lyon", 2);
  const auto items = corpus.Ask("Where do I live?", 10, Day(1));
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(items[0].item.memory_id, "fa_old");
  EXPECT_FALSE(items[0].item.superseded_by.has_value());
  EXPECT_FALSE(items[0].item.valid_to.has_value());
}

TEST(Ranking, PrefersTheLatestOfEqualStatementsWhenAskedForThePresent) {
  const Corpus corpus = Corpus()
                            .Say("My stamp album holds 45 stamps now.", "s1")
                            .Say("My stamp album holds 52 stamps now.", "s2");
  EXPECT_EQ(Texts(corpus.Ask("How many stamps does my album hold?")).front(),
            "My stamp album holds 52 stamps now.");
}

TEST(Ranking, PutsALaterValueOfTheSameThingAboveTheEarlierOne) {
  Corpus corpus;
  corpus.Say("My yearly garden budget is $300, and the garden budget is tight.", "s1")
      .Say("The roses came from Ana.", "s1")
      .Say("I raised the garden budget to $420.", "s2")
      .Say("The garden gate squeaks.", "s2");
  const auto now = Texts(corpus.Ask("What is my yearly garden budget?"));
  ASSERT_GE(now.size(), 2U);
  EXPECT_EQ(now[0], "I raised the garden budget to $420.");
  EXPECT_EQ(now[1], "My yearly garden budget is $300, and the garden budget is tight.");
  const auto then = Texts(corpus.Ask("What was my yearly garden budget before?"));
  EXPECT_EQ(then[0], "My yearly garden budget is $300, and the garden budget is tight.");
}

TEST(Ranking, PutsTheValueInTheMiddleOfAChainBetweenItsEnds) {
  Corpus corpus;
  corpus
      .Say("My yearly garden budget is $300, a garden budget for the year: yearly it is tight.",
           "s1")
      .Say("Of the garden budget, now $350, I bought bulbs and a spade and seeds.", "s2")
      .Say("The yearly look at the garden shows moss.", "s2")
      .Say("I raised the yearly garden budget to $420.", "s3");
  const auto texts = Texts(corpus.Ask("What is my yearly garden budget?"));
  ASSERT_GE(texts.size(), 3U);
  EXPECT_EQ(texts[0], "I raised the yearly garden budget to $420.");
  EXPECT_EQ(texts[1], "Of the garden budget, now $350, I bought bulbs and a spade and seeds.");
  EXPECT_TRUE(texts[2].starts_with("My yearly garden budget is $300"));
}

TEST(Ranking, LeavesWhatIsNoLinkOfTheChainWhereItIs) {
  Corpus corpus;
  corpus.Say("My yearly garden budget is $300, a garden budget for the year.", "s1")
      .Say("I raised the yearly garden budget to $420.", "s2")
      .Say("With a budget of now $15 I bought soup and bread and tea and cake.", "s3");
  const auto texts = Texts(corpus.Ask("What is my yearly garden budget?"));
  ASSERT_GE(texts.size(), 3U);
  EXPECT_EQ(texts[0], "I raised the yearly garden budget to $420.");
  EXPECT_TRUE(texts[1].starts_with("My yearly garden budget is $300"));
}

TEST(Ranking, PutsEveryDenialAboveWhatItDenies) {
  Corpus corpus;
  corpus.Say("I worked with Ana on the boat shed, Ana painted the boat shed.", "s1")
      .Say("I never worked on a boat shed, so which varnish, brush and rope are good?", "s2")
      .Say("I like trains.", "s2")
      .Say("I never worked with Ana on the boat shed.", "s3");
  const auto items = corpus.Ask("Have I worked with Ana on the boat shed before?", 3);
  EXPECT_THAT(
      Texts(items),
      ElementsAre("I never worked with Ana on the boat shed.",
                  "I never worked on a boat shed, so which varnish, brush and rope are good?",
                  "I worked with Ana on the boat shed, Ana painted the boat shed."));
  ASSERT_THAT(items, SizeIs(3));
  EXPECT_THAT(items[2].item.contradicts, SizeIs(2));
}

TEST(Ranking, LetsNoSuccessorHideWhatWasOnceDone) {
  Corpus corpus;
  corpus.Say("I worked with Ana on the choir book.", "s1").Say("Kim is the one I see daily.", "s2");
  corpus.AddFact("fa_old", "worked with Ana", 1).superseded_by = "fa_new";
  corpus.AddFact("fa_new", "Kim is the one I see daily", 2);
  const auto once = corpus.Ask("Have I worked with Ana before?");
  ASSERT_FALSE(once.empty());
  EXPECT_EQ(once[0].item.sources.front().interaction_id, "t1");
  const auto now = corpus.Ask("Do I work with Ana?");
  ASSERT_FALSE(now.empty());
  EXPECT_EQ(now[0].item.sources.front().interaction_id, "t2");
}

TEST(Ranking, PutsTheTurnThatEndedAFactAboveIt) {
  Corpus corpus;
  corpus.Say("I work at Acme as a nurse.", "s1").Say("I resigned from Acme.", "s2");
  Fact& job = corpus.AddFact("fa_1", "work at Acme as a nurse", 1);
  job.valid_to = Day(2);
  EXPECT_EQ(Texts(corpus.Ask("Do I work at Acme?")).front(), "I resigned from Acme.");
  EXPECT_NE(Texts(corpus.Ask("Where did I work before Acme?")).front(), "I resigned from Acme.");
  EXPECT_EQ(Texts(corpus.Ask("Do I work at Acme?", 10, Day(1))).size(), 1U);
}

TEST(Ranking, PutsTheEarlierValueFirstAsOfADayBeforeTheChange) {
  Corpus corpus;
  corpus.Say("My yearly garden budget is $300.", "s1")
      .Say("I raised the garden budget to $420.", "s2");
  EXPECT_EQ(Texts(corpus.Ask("What is my yearly garden budget?", 10, Day(1))),
            std::vector<std::string>{"My yearly garden budget is $300."});
}

TEST(Ranking, DoesNotLetAnotherSpeakerOvertake) {
  Corpus corpus;
  corpus.Say("My yearly garden budget is $300.", "s1", "Ana")
      .Say("My garden budget is now $420.", "s1", "Kim");
  EXPECT_EQ(Texts(corpus.Ask("What is the yearly garden budget?"))[0],
            "My yearly garden budget is $300.");
}

TEST(Ranking, KeepsBothSidesOfAContradictionAndMarksThem) {
  Corpus corpus;
  corpus.Say("I went to Lisbon with Ana, Lisbon was lovely.", "s1")
      .Say("I have never been to Lisbon.", "s2")
      .Say("I like trains.", "s3");
  const auto items = corpus.Ask("Have I ever been to Lisbon?");
  ASSERT_GE(items.size(), 2U);
  EXPECT_EQ(items[0].item.text, "I have never been to Lisbon.");
  EXPECT_THAT(items[0].item.contradicts, ElementsAre(items[1].item.memory_id));
  EXPECT_THAT(items[1].item.contradicts, ElementsAre(items[0].item.memory_id));
  EXPECT_FALSE(items[1].item.superseded_by.has_value());
}

TEST(Ranking, MarksNoContradictionWhereThingsHaveChanged) {
  Corpus corpus;
  corpus.Say("I rent the garage behind the house.", "s1").Say("I no longer rent the garage.", "s2");
  const auto items = corpus.Ask("Do I rent the garage?");
  ASSERT_GE(items.size(), 2U);
  EXPECT_EQ(items[0].item.text, "I no longer rent the garage.");
  EXPECT_THAT(items[0].item.contradicts, IsEmpty());
}

TEST(Ranking, SpreadsOverSessionsWhenAskedHowSomethingWent) {
  Corpus corpus;
  corpus.Say("The roof repair began.", "s1")
      .Say("The roof repair goes on.", "s1")
      .Say("The roof repair needs tiles.", "s1")
      .Say("The roof repair is done.", "s2")
      .Say("We had soup.", "s3");
  const auto spread = corpus.Ask("Summarize the roof repair over time", 3);
  EXPECT_TRUE(std::any_of(spread.begin(), spread.end(),
                          [](const RankedItem& item) { return item.session_id == "s2"; }));
}

TEST(Ranking, GivesTheSameOrderForAnyOrderOfCandidates) {
  Corpus forth;
  Corpus back;
  forth.Say("blue kite", "a").Say("blue kite", "b").Say("red kite", "c");
  const auto once = forth.Ask("blue kite");
  const auto again = forth.Ask("blue kite");
  EXPECT_EQ(Texts(once), Texts(again));
  ASSERT_GE(once.size(), 2U);
  EXPECT_GT(once[0].item.occurred_at, once[1].item.occurred_at) << "ties fall to the later turn";
}

TEST(Ranking, PutsWhatWasSaidBeforeAnEarlierQuestionAboutIt) {
  const Corpus corpus = Corpus()
                            .Say("Where does my sister live?", "s1")
                            .Say("By the way, my sister Ana lives in Porto these days.", "s2");
  EXPECT_EQ(Texts(corpus.Ask("Where does my sister live?")).front(),
            "By the way, my sister Ana lives in Porto these days.");
}

TEST(Ranking, LeavesOutATurnThatOnlySaysARuleWhichIsReturnedBesideIt) {
  Corpus corpus;
  corpus.Say("Always give distances in miles.", "s1")
      .Say(
          "Always give distances in miles. By the way, the distance to work is 4 miles and I walk.",
          "s2");
  MemoryItem first;
  first.text = "Always give distances in miles.";
  first.sources = {{"t1", Role::kUser}, {"t2", Role::kUser}};
  const auto items = corpus.Ask("What is the distance?", 10, std::nullopt, {first});
  ASSERT_THAT(items, SizeIs(1));
  EXPECT_EQ(items[0].item.sources.front().interaction_id, "t2");
}

TEST(Ranking, KeepsItsLimit) {
  Corpus corpus;
  for (int i = 0; i < 30; ++i) {
    corpus.Say("a kite in the sky", "s" + std::to_string(i));
  }
  EXPECT_THAT(corpus.Ask("kite", 7), SizeIs(7));
  EXPECT_THAT(corpus.Ask("kite", 0), IsEmpty());
}

}  // namespace
}  // namespace umbranet
