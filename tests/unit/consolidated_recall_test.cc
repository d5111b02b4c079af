// Goal: MemoryManager brings consolidated episodes beside their originals, only where it is wanted,
// and forgets them with their user. Method: the twins of tier 2 and of the store beside it; mocks
// in place of every other store.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/memory/memory_manager.h"

#include "tests/doubles/in_memory_episode_consolidation.h"
#include "tests/doubles/in_memory_episodic_memory.h"
#include "tests/doubles/manual_clock.h"
#include "tests/doubles/mock_stores.h"

namespace umbranet {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const Deadline kNever = Deadline::Never();
const UserKey kUser{"default", "mira"};

// A store on a server that is away.
class Away final : public EpisodeConsolidation {
 public:
  Result<std::optional<ConsolidationClaim>> Claim(const ConsolidationPolicy&, Deadline) override {
    return kAway;
  }

  Result<ConsolidatedEpisode> Save(const ConsolidationClaim&, std::string_view, std::string_view,
                                   Deadline) override {
    return kAway;
  }

  Status PutOff(const ConsolidationClaim&, const ConsolidationRest&, Deadline) override {
    return kAway;
  }

  Result<std::vector<ConsolidatedEpisode>> Find(const ConsolidatedQuery&, Deadline) override {
    return kAway;
  }

  Result<ConsolidatedPage> List(const UserKey&, std::string_view, std::size_t, Deadline) override {
    return kAway;
  }

  Result<std::optional<ConsolidatedEpisode>> Get(std::string_view, std::string_view,
                                                 Deadline) override {
    return kAway;
  }

  Result<std::map<std::string, std::string>> ConsolidatedIn(const UserKey&,
                                                            std::span<const std::string>,
                                                            Deadline) override {
    return kAway;
  }

  Result<bool> Undo(std::string_view, std::string_view, Deadline) override { return kAway; }

  Result<std::uint64_t> UndoAll(const UserKey&, Deadline) override { return kAway; }

  Result<std::uint64_t> EraseUser(const UserKey&, Deadline) override { return kAway; }

 private:
  const Error kAway = Unavailable("store: away");
};

class ConsolidatedRecallTest : public ::testing::Test {
 protected:
  ConsolidatedRecallTest() {
    Say("Tom baked rye bread for everybody");
    Say("we walked down to the river");
    Say("Tom swam across the river and back");
    Say("the bread was gone by noon");
    clock_.Advance(std::chrono::hours(2));
  }

  void Say(const std::string& text) {
    ReflectionPlan plan;
    plan.user = kUser;
    plan.interaction_id = "t" + std::to_string(++turns_);
    plan.job_id = "job" + std::to_string(turns_);
    plan.session_id = "s";
    plan.sequence = turns_;
    plan.occurred_at = clock_.Now();
    plan.episodes.push_back(
        {.role = Role::kUser, .speaker = "User", .text = text, .event_times = {}});
    ASSERT_TRUE(episodic_.Apply(std::vector{plan}, {}, kNever).ok());
  }

  ConsolidatedEpisode Consolidate(const std::string& text) {
    ConsolidationPolicy policy;
    policy.age = std::chrono::hours(1);
    policy.episodes_min = 4;
    policy.group.episodes_min = 4;
    const auto claim = consolidation_.Claim(policy, kNever).value();
    EXPECT_TRUE(claim.has_value());
    return consolidation_.Save(claim.value_or(ConsolidationClaim{}), text, "scripted", kNever)
        .value_or(ConsolidatedEpisode{});
  }

  MemoryManager Make(bool with_consolidated = true) {
    MemoryManager::Options options;
    options.with_consolidated = with_consolidated;
    return {clock_,
            pool_,
            {stores_.journal, stores_.ledger, stores_.doorbell, stores_.short_term, episodic_,
             stores_.semantic, stores_.procedural, nullptr, &consolidation_},
            options};
  }

  static RecallRequest Ask(const std::string& query) {
    RecallRequest request;
    request.user = kUser;
    request.query = query;
    return request;
  }

  static std::vector<std::string> Texts(const std::vector<MemoryItem>& items) {
    std::vector<std::string> texts;
    for (const MemoryItem& item : items) {
      texts.push_back(item.text);
    }
    return texts;
  }

  std::vector<std::string> ListAll(MemoryManager& memory, std::optional<Tier> tier,
                                   std::size_t limit) {
    std::vector<std::string> texts;
    std::string cursor;
    do {
      const auto page = memory.List(kUser, tier, cursor, limit, kNever);
      EXPECT_TRUE(page.ok());
      if (!page.ok()) {
        break;
      }
      EXPECT_LE(page->items.size(), limit);
      for (const std::string& text : Texts(page->items)) {
        texts.push_back(text);
      }
      cursor = page->next_cursor;
    } while (!cursor.empty());
    return texts;
  }

  ManualClock clock_;
  InMemoryEpisodicMemory episodic_;
  InMemoryEpisodeConsolidation consolidation_{episodic_, clock_};
  MockStores stores_;
  int turns_ = 0;
  // Last, so that it has run everything before a store goes.
  BoundedWorkerPool pool_{{}};
};

TEST_F(ConsolidatedRecallTest, RecallsItBesideItsOriginalsWhichScoreAsTheyDid) {
  MemoryManager memory = Make();
  const std::string query = "What about the picnic with Tom?";
  const auto before = memory.Recall(Ask(query), kNever);
  const ConsolidatedEpisode saved = Consolidate("Tom had a picnic at the river, with rye bread");
  const auto after = memory.Recall(Ask(query), kNever);
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_THAT(Texts(after->items), Contains(saved.text));
  EXPECT_THAT(after->context, HasSubstr(" in short: \"Tom had a picnic"));
  EXPECT_THAT(after->degraded, IsEmpty());
  std::vector<MemoryItem> originals;
  for (const MemoryItem& item : after->items) {
    if (item.memory_id == saved.memory_id) {
      EXPECT_THAT(item.sources, SizeIs(4));
    } else {
      originals.push_back(item);
    }
  }
  ASSERT_EQ(Texts(originals), Texts(before->items));
  for (std::size_t i = 0; i < originals.size(); ++i) {
    EXPECT_EQ(originals[i].score, before->items[i].score);
  }
}

TEST_F(ConsolidatedRecallTest, TheWordsOfAnOriginalStillFindIt) {
  Consolidate("Tom baked bread, and swam in the river");
  MemoryManager memory = Make();
  const auto recalled = memory.Recall(Ask("Who swam across the river and back?"), kNever);
  ASSERT_TRUE(recalled.ok());
  ASSERT_THAT(recalled->items, Not(IsEmpty()));
  EXPECT_EQ(recalled->items[0].text, "Tom swam across the river and back");
}

TEST_F(ConsolidatedRecallTest, IsAsIfThereWereNoneWhereItIsOff) {
  MemoryManager memory = Make(false);
  const auto before = memory.Recall(Ask("Tom bread river"), kNever);
  const auto listed = ListAll(memory, std::nullopt, 10);
  Consolidate("Tom baked bread, and swam in the river");
  const auto after = memory.Recall(Ask("Tom bread river"), kNever);
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(Texts(after->items), Texts(before->items));
  EXPECT_EQ(after->context, before->context);
  EXPECT_EQ(ListAll(memory, std::nullopt, 10), listed);
}

TEST_F(ConsolidatedRecallTest, IsAsBeforeWhenItIsUndone) {
  MemoryManager memory = Make();
  const auto before = memory.Recall(Ask("Tom bread river"), kNever);
  const auto listed = ListAll(memory, std::nullopt, 10);
  const ConsolidatedEpisode saved = Consolidate("Tom baked bread, and swam in the river");
  EXPECT_TRUE(memory.Erase("default", saved.memory_id, kNever).value());
  EXPECT_FALSE(memory.Erase("default", saved.memory_id, kNever).value());
  const auto after = memory.Recall(Ask("Tom bread river"), kNever);
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(Texts(after->items), Texts(before->items));
  EXPECT_EQ(after->context, before->context);
  EXPECT_EQ(ListAll(memory, std::nullopt, 10), listed);
}

TEST_F(ConsolidatedRecallTest, ListsItBeforeItsOriginalsWhateverThePages) {
  const ConsolidatedEpisode saved = Consolidate("in short");
  MemoryManager memory = Make();
  for (const std::optional<Tier> tier : {std::optional<Tier>(), std::optional(Tier::kEpisodic)}) {
    for (const std::size_t limit : {1U, 2U, 3U, 5U, 10U}) {
      const auto texts = ListAll(memory, tier, limit);
      ASSERT_THAT(texts, SizeIs(5)) << limit;
      EXPECT_EQ(texts[0], "in short");
      EXPECT_EQ(texts[1], "Tom baked rye bread for everybody");
    }
  }
  const auto page = memory.List(kUser, std::nullopt, "", 10, kNever);
  const auto consolidated_in = memory.ConsolidatedIn(page->items, kNever);
  EXPECT_THAT(*consolidated_in, SizeIs(4));
  EXPECT_THAT(*consolidated_in, Contains(std::pair(page->items[1].memory_id, saved.memory_id)));
}

TEST_F(ConsolidatedRecallTest, CanBeLookedUpAndNotChanged) {
  const ConsolidatedEpisode saved = Consolidate("in short");
  MemoryManager memory = Make();
  EXPECT_EQ(memory.Get("default", saved.memory_id, kNever).value()->text, "in short");
  const auto changed =
      memory.Update("default", saved.memory_id, {.text = "other", .valid_to = {}}, kNever);
  ASSERT_FALSE(changed.ok());
  EXPECT_EQ(changed.error().code, ErrorCode::kInvalidArgument);
}

TEST_F(ConsolidatedRecallTest, IsExportedAndForgottenWithItsUserAlsoWhereItIsOff) {
  Consolidate("in short");
  MemoryManager memory = Make(false);
  std::string exported;
  const auto take = [&exported](std::string_view line) {
    exported += line;
    return true;
  };
  ASSERT_TRUE(memory.Export(kUser, take, kNever).ok());
  EXPECT_THAT(exported, HasSubstr("in short"));
  const auto forgotten = memory.ForgetUser(kUser, kNever);
  ASSERT_TRUE(forgotten.ok());
  EXPECT_EQ(forgotten->certificate.removed.at("consolidated_episodes"), 1U);
  EXPECT_THAT(consolidation_.List(kUser, "", 10, kNever)->episodes, IsEmpty());
}

TEST_F(ConsolidatedRecallTest, SaysSoWhenTheyCannotBeHad) {
  Away away;
  MemoryManager::Options options;
  options.with_consolidated = true;
  MemoryManager memory(clock_, pool_,
                       {stores_.journal, stores_.ledger, stores_.doorbell, stores_.short_term,
                        episodic_, stores_.semantic, stores_.procedural, nullptr, &away},
                       options);
  const auto recalled = memory.Recall(Ask("Tom bread river"), kNever);
  ASSERT_TRUE(recalled.ok());
  EXPECT_THAT(recalled->degraded, ElementsAre("consolidated"));
  EXPECT_THAT(recalled->items, Not(IsEmpty()));
  EXPECT_THAT(recalled->missing_tiers, IsEmpty());
}

}  // namespace
}  // namespace umbranet
