// Goal: nothing accepted is lost, and a recall answers with what there is by its deadline.
// Method: mocks in place of every store; time is turned by hand, lateness is a latch.
#include "umbranet/memory/memory_manager.h"

#include <algorithm>
#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/base/text_analysis.h"

#include "tests/doubles/manual_clock.h"
#include "tests/doubles/mock_stores.h"

namespace umbranet {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::InSequence;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Return;
using ::testing::SizeIs;

const UserKey kUser{"default", "mira"};
const Error kAway = Unavailable("store: away");

Interaction Turn(const std::string& text, const std::string& id = "") {
  Interaction turn;
  turn.user = kUser;
  turn.interaction_id = id;
  turn.user_message = text;
  return turn;
}

RecallRequest Ask(const std::string& query) {
  RecallRequest request;
  request.user = kUser;
  request.query = query;
  return request;
}

EpisodesFound Found(const std::vector<std::string>& terms, const std::string& text) {
  EpisodesFound found;
  EpisodeCandidate candidate;
  Episode episode;
  episode.memory_id = "ep_1";
  episode.interaction_id = "t1";
  episode.text = text;
  candidate.episode = std::make_shared<const Episode>(std::move(episode));
  const std::vector<std::string> words = AnalyzeTerms(text);
  for (const std::string& term : terms) {
    const auto count = std::count(words.begin(), words.end(), term);
    candidate.term_counts.push_back(static_cast<std::uint32_t>(count));
    found.statistics.document_frequency.push_back(count > 0 ? 1U : 0U);
  }
  candidate.length = static_cast<std::uint32_t>(words.size());
  candidate.matched = true;
  found.statistics.documents = 10;
  found.statistics.length_mean = 5;
  found.candidates = {candidate};
  return found;
}

class MemoryManagerTest : public ::testing::Test {
 protected:
  MemoryManager Make(const MemoryManager::Options& options = {}) {
    return {clock_,
            pool_,
            {stores_.journal, stores_.ledger, stores_.doorbell, stores_.short_term,
             stores_.episodic, stores_.semantic, stores_.procedural},
            options};
  }

  // The turns that wait for reflection, newest first.
  void Pend(std::vector<Interaction> turns) {
    std::vector<std::int64_t> sequences;
    for (Interaction& turn : turns) {
      turn.sequence = static_cast<std::int64_t>(turns.size() - sequences.size());
      sequences.push_back(turn.sequence);
    }
    ON_CALL(stores_.journal, Unreflected).WillByDefault([sequences](auto&&...) {
      return Result<std::vector<std::int64_t>>(sequences);
    });
    ON_CALL(stores_.journal, ReadAt).WillByDefault([turns](auto&&...) {
      return Result<std::vector<Interaction>>(turns);
    });
  }

  Deadline Soon() { return Deadline::After(clock_, std::chrono::seconds(5)); }

  ManualClock clock_;
  MockStores stores_;
  // Last, so that it has run everything before a store goes.
  BoundedWorkerPool pool_{{}};
};

TEST_F(MemoryManagerTest, RemembersDurablyBeforeAnythingElse) {
  InSequence order;
  EXPECT_CALL(stores_.journal, Accept(SizeIs(1), RunMode::kBackground, _, _));
  EXPECT_CALL(stores_.short_term, Append(Field(&Interaction::sequence, 1), _));
  EXPECT_CALL(stores_.doorbell, Ring(Field(&ReflectionJob::interaction_id, "t1")));
  MemoryManager manager = Make();
  const auto remembered = manager.Remember({Turn("hi", "t1")}, RunMode::kBackground, "", Soon());
  ASSERT_TRUE(remembered.ok());
  EXPECT_THAT(remembered->degraded, IsEmpty());
}

TEST_F(MemoryManagerTest, FillsInWhatATurnLacks) {
  Interaction stored;
  EXPECT_CALL(stores_.short_term, Append).WillOnce([&](const Interaction& turn, Deadline) {
    stored = turn;
    return Status();
  });
  MemoryManager manager = Make();
  const auto remembered = manager.Remember({Turn("hi")}, RunMode::kBackground, "", Soon());
  ASSERT_TRUE(remembered.ok());
  EXPECT_THAT(stored.interaction_id, SizeIs(36));
  EXPECT_EQ(remembered->turns.at(0).interaction_id, stored.interaction_id);
  EXPECT_EQ(stored.occurred_at, clock_.Now());
  EXPECT_EQ(stored.accepted_at, clock_.Now());
}

TEST_F(MemoryManagerTest, KeepsTheTimeThatATurnBrings) {
  const Timestamp then = FromUnixMillis(1'600'000'000'000);
  EXPECT_CALL(stores_.short_term, Append(Field(&Interaction::occurred_at, then), _));
  Interaction turn = Turn("hi", "t1");
  turn.occurred_at = then;
  MemoryManager manager = Make();
  ASSERT_TRUE(manager.Remember({turn}, RunMode::kBackground, "", Soon()).ok());
}

TEST_F(MemoryManagerTest, ReportsAJournalThatCannotAcceptAndTouchesNothingElse) {
  EXPECT_CALL(stores_.journal, Accept).WillOnce([](auto&&...) {
    return Result<std::vector<AcceptedTurn>>(Error{ErrorCode::kStorageFull, "journal: full"});
  });
  EXPECT_CALL(stores_.short_term, Append).Times(0);
  EXPECT_CALL(stores_.doorbell, Ring).Times(0);
  MemoryManager manager = Make();
  const auto remembered = manager.Remember({Turn("hi")}, RunMode::kBackground, "", Soon());
  ASSERT_FALSE(remembered.ok());
  EXPECT_EQ(remembered.error().code, ErrorCode::kStorageFull);
}

TEST_F(MemoryManagerTest, RemembersWithoutTierOneAndSaysSoOnce) {
  EXPECT_CALL(stores_.short_term, Append).WillOnce([](auto&&...) { return Status(kAway); });
  EXPECT_CALL(stores_.doorbell, Ring).Times(3);
  MemoryManager manager = Make();
  const auto remembered = manager.Remember({Turn("a", "1"), Turn("b", "2"), Turn("c", "3")},
                                           RunMode::kBackground, "", Soon());
  ASSERT_TRUE(remembered.ok());
  EXPECT_THAT(remembered->turns, SizeIs(3));
  EXPECT_THAT(remembered->degraded, ElementsAre("short_term"));
}

TEST_F(MemoryManagerTest, SaysWhenTheBellIsBroken) {
  ON_CALL(stores_.doorbell, Healthy).WillByDefault(Return(false));
  MemoryManager manager = Make();
  const auto remembered = manager.Remember({Turn("a")}, RunMode::kBackground, "", Soon());
  ASSERT_TRUE(remembered.ok());
  EXPECT_THAT(remembered->degraded, ElementsAre("queue"));
}

TEST_F(MemoryManagerTest, DoesNotRingForATurnThatIsReflectedInlineOrWasHereBefore) {
  EXPECT_CALL(stores_.doorbell, Ring).Times(0);
  MemoryManager manager = Make();
  ASSERT_TRUE(manager.Remember({Turn("a")}, RunMode::kInline, "", Soon()).ok());
  EXPECT_CALL(stores_.journal, Accept).WillOnce([](auto&&...) {
    AcceptedTurn known;
    known.interaction_id = "t1";
    known.duplicate = true;
    return Result<std::vector<AcceptedTurn>>({known});
  });
  EXPECT_CALL(stores_.short_term, Append).Times(0);
  ASSERT_TRUE(manager.Remember({Turn("a", "t1")}, RunMode::kBackground, "", Soon()).ok());
}

TEST_F(MemoryManagerTest, RecallsFromEveryTier) {
  ON_CALL(stores_.episodic, Find).WillByDefault([](const EpisodeQuery& query, Deadline) {
    return Result<EpisodesFound>(Found(query.terms, "The kettle is red."));
  });
  Pend({Turn("The kettle broke.", "t9")});
  ON_CALL(stores_.procedural, Active).WillByDefault([](auto&&...) {
    Rule rule;
    rule.text = "always answer briefly";
    return Result<std::vector<Rule>>({rule});
  });
  ON_CALL(stores_.journal, ReadFreshness).WillByDefault([](auto&&...) {
    Freshness freshness;
    freshness.accepted = 1;
    freshness.pending = 1;
    return Result<Freshness>(freshness);
  });
  MemoryManager manager = Make();
  const auto recalled = manager.Recall(Ask("What about the kettle?"), Soon());
  ASSERT_TRUE(recalled.ok());
  EXPECT_THAT(recalled->items, SizeIs(2));
  EXPECT_THAT(recalled->rules, SizeIs(1));
  EXPECT_THAT(recalled->missing_tiers, IsEmpty());
  EXPECT_THAT(recalled->context, HasSubstr("The kettle is red."));
  EXPECT_THAT(recalled->context, HasSubstr("always answer briefly"));
  EXPECT_EQ(recalled->freshness.pending, 1U);
  EXPECT_THAT(recalled->tier_ms, SizeIs(4));
}

TEST_F(MemoryManagerTest, ReadsWhatWaitsForReflectionBeforeItAsksTheTiers) {
  // The turn is reflected just after the journal was read: only this order finds it in any case.
  ON_CALL(stores_.journal, ReadFreshness).WillByDefault([](auto&&...) {
    Freshness freshness;
    freshness.accepted = 1;
    freshness.pending = 1;
    return Result<Freshness>(freshness);
  });
  std::atomic<bool> journal_was_read = false;
  ON_CALL(stores_.journal, Unreflected).WillByDefault([&](auto&&...) {
    journal_was_read = true;
    return Result<std::vector<std::int64_t>>(std::vector<std::int64_t>());
  });
  ON_CALL(stores_.episodic, Find).WillByDefault([&](const EpisodeQuery& query, Deadline) {
    return journal_was_read ? Result<EpisodesFound>(Found(query.terms, "The kettle is red."))
                            : Result<EpisodesFound>(EpisodesFound{});
  });
  MemoryManager manager = Make();
  for (int i = 0; i < 20; ++i) {
    journal_was_read = false;
    const auto recalled = manager.Recall(Ask("kettle"), Soon());
    ASSERT_TRUE(recalled.ok());
    ASSERT_THAT(recalled->items, SizeIs(1));
  }
}

TEST_F(MemoryManagerTest, NamesTierOneWhenTheWaitingTurnsCannotBeRead) {
  ON_CALL(stores_.journal, ReadFreshness).WillByDefault([](auto&&...) {
    Freshness freshness;
    freshness.accepted = 1;
    freshness.pending = 1;
    return Result<Freshness>(freshness);
  });
  ON_CALL(stores_.journal, Unreflected).WillByDefault([](auto&&...) {
    return Result<std::vector<std::int64_t>>(kAway);
  });
  MemoryManager manager = Make();
  const auto recalled = manager.Recall(Ask("kettle"), Soon());
  ASSERT_TRUE(recalled.ok());
  EXPECT_THAT(recalled->missing_tiers, ElementsAre(Tier::kShortTerm));
}

TEST_F(MemoryManagerTest, NamesATierThatIsAwayAndAnswersFromTheOthers) {
  ON_CALL(stores_.semantic, Find).WillByDefault([](auto&&...) {
    return Result<FactsFound>(kAway);
  });
  ON_CALL(stores_.episodic, Find).WillByDefault([](const EpisodeQuery& query, Deadline) {
    return Result<EpisodesFound>(Found(query.terms, "The kettle is red."));
  });
  MemoryManager manager = Make();
  const auto recalled = manager.Recall(Ask("kettle"), Soon());
  ASSERT_TRUE(recalled.ok());
  EXPECT_THAT(recalled->missing_tiers, ElementsAre(Tier::kSemantic));
  EXPECT_THAT(recalled->items, SizeIs(1));
}

TEST_F(MemoryManagerTest, TakesTheConversationFromTheJournalWhileTierOneIsAway) {
  ON_CALL(stores_.short_term, Read).WillByDefault([](auto&&...) {
    return Result<Conversation>(kAway);
  });
  EXPECT_CALL(stores_.journal, Recent(kUser, std::string_view("s1"), 0, _, _))
      .WillOnce([](auto&&...) {
        return Result<std::vector<Interaction>>(std::vector<Interaction>{
            Turn(std::string(400, 'x'), "1"), Turn("What boils?"), Turn("The kettle.")});
      });
  MemoryManager::Options narrow;
  narrow.conversation.tokens = 50;
  MemoryManager manager = Make(narrow);
  RecallRequest request = Ask("kettle");
  request.session_id = "s1";
  const auto recalled = manager.Recall(request, Soon());
  ASSERT_TRUE(recalled.ok());
  EXPECT_THAT(recalled->conversation.turns,
              ElementsAre(Field(&Interaction::user_message, "What boils?"),
                          Field(&Interaction::user_message, "The kettle.")));
  EXPECT_THAT(recalled->degraded, ElementsAre("short_term"));
  EXPECT_THAT(recalled->missing_tiers, IsEmpty());
}

TEST_F(MemoryManagerTest, NamesTierOneAsMissingWhenTheJournalCannotStandIn) {
  ON_CALL(stores_.short_term, Read).WillByDefault([](auto&&...) {
    return Result<Conversation>(kAway);
  });
  ON_CALL(stores_.journal, Recent).WillByDefault([](auto&&...) {
    return Result<std::vector<Interaction>>(kAway);
  });
  MemoryManager manager = Make();
  RecallRequest request = Ask("kettle");
  request.session_id = "s1";
  const auto recalled = manager.Recall(request, Soon());
  ASSERT_TRUE(recalled.ok());
  EXPECT_THAT(recalled->missing_tiers, ElementsAre(Tier::kShortTerm));
  EXPECT_THAT(recalled->degraded, IsEmpty());
}

TEST_F(MemoryManagerTest, DoesNotWaitForATierPastTheDeadline) {
  std::latch asked(1);
  std::latch released(1);
  ON_CALL(stores_.episodic, Find).WillByDefault([&](auto&&...) {
    asked.count_down();
    released.wait();
    return Result<EpisodesFound>(Found({"kettl"}, "The kettle is red."));
  });
  MemoryManager::Options budget;
  budget.recall_budget = Millis(100);
  MemoryManager manager = Make(budget);
  std::jthread hands([&] {
    asked.wait();
    clock_.Advance(Millis(101));
  });
  RecallRequest request = Ask("kettle");
  request.tiers = {Tier::kEpisodic};
  const auto recalled = manager.Recall(request, Soon());
  released.count_down();
  pool_.Stop();  // The late tier still looks at the latch.
  ASSERT_TRUE(recalled.ok());
  EXPECT_THAT(recalled->missing_tiers, ElementsAre(Tier::kEpisodic));
  EXPECT_THAT(recalled->items, IsEmpty());
}

TEST_F(MemoryManagerTest, AnswersEvenWhenThePoolIsStopped) {
  pool_.Stop();
  ON_CALL(stores_.episodic, Find).WillByDefault([](const EpisodeQuery& query, Deadline) {
    return Result<EpisodesFound>(Found(query.terms, "The kettle is red."));
  });
  MemoryManager manager = Make();
  const auto recalled = manager.Recall(Ask("kettle"), Soon());
  ASSERT_TRUE(recalled.ok());
  EXPECT_THAT(recalled->items, SizeIs(1));
}

TEST_F(MemoryManagerTest, AsksOnlyTheTiersThatAreWanted) {
  EXPECT_CALL(stores_.semantic, Find).Times(0);
  EXPECT_CALL(stores_.procedural, Active).Times(0);
  EXPECT_CALL(stores_.journal, Unreflected).Times(0);
  EXPECT_CALL(stores_.episodic, Find).Times(1);
  RecallRequest request = Ask("kettle");
  request.tiers = {Tier::kEpisodic};
  MemoryManager manager = Make();
  const auto recalled = manager.Recall(request, Soon());
  ASSERT_TRUE(recalled.ok());
  EXPECT_THAT(recalled->missing_tiers, IsEmpty());
}

TEST_F(MemoryManagerTest, HandsTermsAndNeverRawTextToTheStores) {
  EXPECT_CALL(stores_.episodic,
              Find(Field(&EpisodeQuery::terms, ElementsAre("drop", "tabl", "user", "dtu")), _));
  MemoryManager manager = Make();
  ASSERT_TRUE(manager.Recall(Ask("\"; DROP TABLE users; --"), Soon()).ok());
}

TEST_F(MemoryManagerTest, BringsTheConversationAndLeavesItOutOfTheContext) {
  ON_CALL(stores_.short_term, Read).WillByDefault([](auto&&...) {
    Conversation conversation;
    conversation.turns = {Turn("The kettle is red.", "t1")};
    return Result<Conversation>(conversation);
  });
  ON_CALL(stores_.episodic, Find).WillByDefault([](const EpisodeQuery& query, Deadline) {
    return Result<EpisodesFound>(Found(query.terms, "The kettle is red."));
  });
  MemoryManager manager = Make();
  RecallRequest request = Ask("kettle");
  request.session_id = "s1";
  const auto recalled = manager.Recall(request, Soon());
  ASSERT_TRUE(recalled.ok());
  EXPECT_THAT(recalled->conversation.turns, SizeIs(1));
  EXPECT_THAT(recalled->items, SizeIs(1));
  EXPECT_THAT(recalled->context, Not(HasSubstr("kettle")));
}

TEST_F(MemoryManagerTest, FailsWhenTheJournalIsAwayOrTheRequestIsBad) {
  MemoryManager manager = Make();
  RecallRequest request = Ask("kettle");
  request.limit = 1'000'000;
  const auto greedy = manager.Recall(request, Soon());
  ASSERT_FALSE(greedy.ok());
  EXPECT_EQ(greedy.error().code, ErrorCode::kInvalidArgument);
  ON_CALL(stores_.journal, ReadFreshness).WillByDefault([](auto&&...) {
    return Result<Freshness>(kAway);
  });
  const auto recalled = manager.Recall(Ask("kettle"), Soon());
  ASSERT_FALSE(recalled.ok());
  EXPECT_EQ(recalled.error().code, ErrorCode::kUnavailable);
}

MemoryItem Item(const std::string& id) {
  MemoryItem item;
  item.memory_id = id;
  item.text = "text of " + id;
  return item;
}

TEST_F(MemoryManagerTest, PagesThroughAllTiers) {
  ON_CALL(stores_.episodic, List)
      .WillByDefault([](const UserKey&, std::string_view cursor, std::size_t, Deadline) {
        return Result<MemoryPage>(cursor.empty() ? MemoryPage{{Item("ep_1"), Item("ep_2")}, "next"}
                                                 : MemoryPage{{Item("ep_3")}, ""});
      });
  ON_CALL(stores_.semantic, List).WillByDefault([](auto&&...) {
    return Result<MemoryPage>(MemoryPage{{Item("fa_1")}, ""});
  });
  ON_CALL(stores_.procedural, List).WillByDefault([](auto&&...) {
    return Result<MemoryPage>(MemoryPage{{Item("ru_1")}, ""});
  });
  MemoryManager manager = Make();
  std::vector<std::string> ids;
  std::string cursor;
  int pages = 0;
  do {
    const auto page = manager.List(kUser, std::nullopt, cursor, 2, Soon());
    ASSERT_TRUE(page.ok()) << page.error().message;
    for (const MemoryItem& item : page->items) {
      ids.push_back(item.memory_id);
    }
    cursor = page->next_cursor;
  } while (!cursor.empty() && ++pages < 10);
  EXPECT_THAT(ids, ElementsAre("ep_1", "ep_2", "ep_3", "fa_1", "ru_1"));
  EXPECT_FALSE(manager.List(kUser, std::nullopt, "nonsense", 2, Soon()).ok());
}

TEST_F(MemoryManagerTest, ListsWhatIsNotReflectedYetAsTierOne) {
  Pend({Turn("new", "t2"), Turn("old", "t1")});
  MemoryManager manager = Make();
  const auto page = manager.List(kUser, Tier::kShortTerm, "", 10, Soon());
  ASSERT_TRUE(page.ok());
  ASSERT_THAT(page->items, SizeIs(2));
  EXPECT_EQ(page->items[0].memory_id, "st_t1");
}

TEST_F(MemoryManagerTest, FindsTheStoreOfAMemoryByItsId) {
  EXPECT_CALL(stores_.semantic, Get(std::string_view("default"), std::string_view("fa_7"), _));
  EXPECT_CALL(stores_.procedural, Erase(_, std::string_view("ru_7"), _)).WillOnce([](auto&&...) {
    return Result<bool>(true);
  });
  EXPECT_CALL(stores_.episodic, Update(_, std::string_view("ep_7"), _, _));
  MemoryManager manager = Make();
  EXPECT_TRUE(manager.Get("default", "fa_7", Soon()).ok());
  EXPECT_TRUE(manager.Erase("default", "ru_7", Soon()).value_or(false));
  EXPECT_TRUE(manager.Update("default", "ep_7", {}, Soon()).ok());
  const auto unknown = manager.Get("default", "xx_7", Soon());
  ASSERT_TRUE(unknown.ok());
  EXPECT_FALSE(unknown->has_value());
}

TEST_F(MemoryManagerTest, ForgetsTheJournalFirstAndEveryTierEvenWhenOneFails) {
  InSequence order;
  EXPECT_CALL(stores_.journal, EraseUser).WillOnce([](auto&&...) {
    return Result<JournalErasure>(JournalErasure{.turns = 3, .jobs_cancelled = 1});
  });
  EXPECT_CALL(stores_.episodic, EraseUser).WillOnce([](auto&&...) {
    return Result<std::uint64_t>(kAway);
  });
  EXPECT_CALL(stores_.semantic, ForgetUser);
  EXPECT_CALL(stores_.procedural, EraseUser);
  MemoryManager manager = Make();
  const auto report = manager.ForgetUser(kUser, Soon());
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
}

TEST_F(MemoryManagerTest, CountsWhatWasForgotten) {
  ON_CALL(stores_.journal, EraseUser).WillByDefault([](auto&&...) {
    JournalErasure erasure{.turns = 3, .jobs_cancelled = 1};
    erasure.dead_letters = 2;
    erasure.last_sequence = 17;
    return Result<JournalErasure>(erasure);
  });
  EXPECT_CALL(stores_.semantic, ForgetUser(kUser, 17, _)).WillOnce([](auto&&...) {
    return Result<std::uint64_t>(5);
  });
  ON_CALL(stores_.episodic, CountVectors).WillByDefault([](auto&&...) {
    return Result<std::uint64_t>(4);
  });
  ON_CALL(stores_.short_term, EraseUser).WillByDefault([](auto&&...) {
    return Result<std::uint64_t>(8);
  });
  ON_CALL(stores_.episodic, EraseUser).WillByDefault([](auto&&...) {
    return Result<std::uint64_t>(9);
  });
  ON_CALL(stores_.procedural, EraseUser).WillByDefault([](auto&&...) {
    return Result<std::uint64_t>(10);
  });
  MemoryManager::Options options;
  options.drop_caches = [] { return CachesDropped{.questions = 6, .model_answers = 7}; };
  MemoryManager manager = Make(options);
  const auto report = manager.ForgetUser(kUser, Soon());
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->deleted.at(Tier::kShortTerm), 3U);
  EXPECT_EQ(report->deleted.at(Tier::kEpisodic), 9U);
  EXPECT_EQ(report->deleted.at(Tier::kSemantic), 5U);
  EXPECT_EQ(report->deleted.at(Tier::kProcedural), 10U);
  EXPECT_EQ(report->queued_jobs_cancelled, 1U);
  const ForgettingCertificate& certificate = report->certificate;
  EXPECT_EQ(certificate.user, kUser);
  EXPECT_EQ(certificate.through_sequence, 17);
  EXPECT_EQ(certificate.removed.at("turns"), 3U);
  EXPECT_EQ(certificate.removed.at("dead_letters"), 2U);
  EXPECT_EQ(certificate.removed.at("summaries"), 8U);
  EXPECT_EQ(certificate.removed.at("episodes"), 9U);
  EXPECT_EQ(certificate.removed.at("facts"), 5U);
  EXPECT_EQ(certificate.removed.at("rules"), 10U);
  EXPECT_EQ(certificate.removed.at("embeddings"), 4U);
  EXPECT_EQ(certificate.removed.at("cached_questions"), 6U);
  EXPECT_EQ(certificate.removed.at("cached_model_answers"), 7U);
}

TEST_F(MemoryManagerTest, ForgetsInEveryTierAndCacheThoughTheFirstFails) {
  ON_CALL(stores_.short_term, EraseUser).WillByDefault([](auto&&...) -> Result<std::uint64_t> {
    return Unavailable("redis: away");
  });
  EXPECT_CALL(stores_.episodic, EraseUser(kUser, _)).Times(1);
  EXPECT_CALL(stores_.semantic, ForgetUser(kUser, _, _)).Times(1);
  EXPECT_CALL(stores_.procedural, EraseUser(kUser, _)).Times(1);
  int dropped = 0;
  MemoryManager::Options options;
  options.drop_caches = [&dropped] {
    ++dropped;
    return CachesDropped();
  };
  MemoryManager manager = Make(options);
  EXPECT_EQ(manager.ForgetUser(kUser, Soon()).error().message, "redis: away");
  EXPECT_EQ(dropped, 1);
}

TEST_F(MemoryManagerTest, ExportsEveryKindAsOneLineEach) {
  ON_CALL(stores_.journal, List).WillByDefault([](auto&&...) {
    JournalPage page;
    page.entries.emplace_back();
    page.entries.back().interaction = Turn("line one\nline two", "t1");
    return Result<JournalPage>(page);
  });
  ON_CALL(stores_.semantic, ReadGraph).WillByDefault([](auto&&...) {
    KnowledgeGraph graph;
    graph.entities.emplace_back();
    graph.entities.back().name = "Ana";
    return Result<KnowledgeGraph>(graph);
  });
  ON_CALL(stores_.procedural, List).WillByDefault([](auto&&...) {
    MemoryItem rule = Item("ru_1");
    rule.tier = Tier::kProcedural;
    return Result<MemoryPage>(MemoryPage{{rule}, ""});
  });
  MemoryManager manager = Make();
  std::vector<std::string> lines;
  const auto keep = [&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  };
  ASSERT_TRUE(manager.Export(kUser, keep, Soon()).ok());
  ASSERT_THAT(lines,
              ElementsAre(HasSubstr(R"("type":"interaction")"), HasSubstr(R"("type":"entity")"),
                          HasSubstr(R"("type":"procedural")")));
  EXPECT_THAT(lines[0], Not(HasSubstr("\n")));

  lines.clear();
  const auto stop = [&](std::string_view line) {
    lines.emplace_back(line);
    return false;
  };
  ASSERT_TRUE(manager.Export(kUser, stop, Soon()).ok());
  EXPECT_THAT(lines, SizeIs(1));
}

TEST_F(MemoryManagerTest, EmptiesTheTiersBeforeItReflectsAgain) {
  InSequence order;
  EXPECT_CALL(stores_.episodic, EraseUser);
  EXPECT_CALL(stores_.semantic, EraseUser);
  EXPECT_CALL(stores_.procedural, EraseUser);
  EXPECT_CALL(stores_.ledger, ReflectAgain).WillOnce([](auto&&...) {
    return Result<std::uint64_t>(12);
  });
  MemoryManager manager = Make();
  EXPECT_EQ(manager.ReflectAgain(kUser, Soon()).value_or(0), 12U);
}

}  // namespace
}  // namespace umbranet
