// Goal: what is summed up together belongs together, and is always named the same.
// Method: episodes of a few sessions at given days.
#include "umbranet/domain/consolidated_episode.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kDayMs = 86'400'000;
const UserKey kUser{"default", "mira"};

OldEpisode Episode(int day, const std::string& session = "s", std::size_t bytes = 10) {
  return {.memory_id = "ep_" + std::to_string(day) + session,
          .interaction_id = "t" + std::to_string(day),
          .role = Role::kUser,
          .session_id = session,
          .speaker = "User",
          .text = std::string(bytes, 'x'),
          .occurred_at = FromUnixMillis(day * kDayMs)};
}

const ConsolidationGroup kGroup{
    .episodes_min = 2, .episodes_max = 3, .bytes_max = 100, .stretch = std::chrono::hours{24 * 7}};

TEST(ConsolidationGroup, IsOfTheOldestsSession) {
  const std::vector<OldEpisode> episodes = {Episode(0), Episode(1, "other"), Episode(2), Episode(3),
                                            Episode(4)};
  EXPECT_THAT(ChooseConsolidationGroup(episodes, kGroup), ElementsAre(0, 2, 3));
}

TEST(ConsolidationGroup, EndsWithTheStretchOfTime) {
  const std::vector<OldEpisode> episodes = {Episode(0), Episode(7), Episode(8)};
  EXPECT_THAT(ChooseConsolidationGroup(episodes, kGroup), ElementsAre(0, 1));
}

TEST(ConsolidationGroup, TakesOtherSessionsOfTheTimeWhereOneHasTooFew) {
  const std::vector<OldEpisode> episodes = {Episode(0), Episode(1, "a"), Episode(2, "b"),
                                            Episode(30)};
  EXPECT_THAT(ChooseConsolidationGroup(episodes, kGroup), ElementsAre(0, 1, 2));
}

TEST(ConsolidationGroup, TakesTheNextOnesWhereTheTimeHasTooFew) {
  const std::vector<OldEpisode> episodes = {Episode(0), Episode(30, "a"), Episode(60, "b")};
  EXPECT_THAT(ChooseConsolidationGroup(episodes, kGroup), ElementsAre(0, 1));
}

TEST(ConsolidationGroup, HoldsNoMoreBytesThanItMay) {
  const std::vector<OldEpisode> episodes = {Episode(0, "s", 40), Episode(1, "s", 40),
                                            Episode(2, "s", 40)};
  EXPECT_THAT(ChooseConsolidationGroup(episodes, kGroup), ElementsAre(0, 1));
}

TEST(ConsolidationGroup, IsNoneOfTooFew) {
  EXPECT_THAT(ChooseConsolidationGroup({}, kGroup), IsEmpty());
  EXPECT_THAT(ChooseConsolidationGroup(std::vector{Episode(0)}, kGroup), IsEmpty());
}

TEST(ConsolidatedEpisode, IsNamedByItsUserAndSources) {
  const std::vector<OldEpisode> sources = {Episode(1), Episode(2)};
  const ConsolidatedEpisode draft = DraftConsolidation(kUser, sources);
  EXPECT_TRUE(IsConsolidatedId(draft.memory_id));
  EXPECT_EQ(TierOfMemoryId(draft.memory_id), Tier::kEpisodic);
  EXPECT_EQ(DraftConsolidation(kUser, sources).memory_id, draft.memory_id);
  EXPECT_NE(DraftConsolidation({"other", "mira"}, sources).memory_id, draft.memory_id);
  EXPECT_NE(DraftConsolidation(kUser, std::vector{Episode(1)}).memory_id, draft.memory_id);
  EXPECT_EQ(draft.from, FromUnixMillis(kDayMs));
  EXPECT_EQ(draft.until, FromUnixMillis(2 * kDayMs));
  EXPECT_EQ(draft.session_id, "s");
  EXPECT_EQ(DraftConsolidation(kUser, std::vector{Episode(1), Episode(2, "a")}).session_id, "");
}

TEST(ConsolidatedEpisode, IsRecalledWithTheTurnsThatItComesFrom) {
  ConsolidatedEpisode episode = DraftConsolidation(kUser, std::vector{Episode(1), Episode(2)});
  episode.text = "in short";
  const MemoryItem item = ItemOfConsolidated(episode);
  EXPECT_EQ(item.memory_id, episode.memory_id);
  EXPECT_EQ(item.tier, Tier::kEpisodic);
  EXPECT_EQ(item.text, "in short");
  EXPECT_EQ(item.occurred_at, FromUnixMillis(2 * kDayMs));
  EXPECT_THAT(item.sources,
              ElementsAre(SourceRef{"t1", Role::kUser}, SourceRef{"t2", Role::kUser}));
  EXPECT_EQ(item.speaker, "");
}

}  // namespace
}  // namespace umbranet
