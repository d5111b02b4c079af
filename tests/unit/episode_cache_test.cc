// Goal: the cache of users' episodes brings them up to date before each search, forgets what failed
// half way, keeps to its bound, and lets the searches of one user take turns. Method: a source made
// by hand counts what it is asked for. (What a search finds is the contract suites' business.)
#include "umbranet/search/episode_cache.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "umbranet/base/text_analysis.h"

#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

const Deadline kNever = Deadline::Never();
constexpr std::size_t kRoomy = std::size_t{1} << 20U;

class ScriptedSource final : public EpisodeSource {
 public:
  explicit ScriptedSource(std::function<Status(UserEpisodes&, EpisodeMark&)> script)
      : script_(std::move(script)) {}

  Status CatchUp(UserEpisodes& episodes, EpisodeMark& mark) override {
    return script_(episodes, mark);
  }

 private:
  const std::function<Status(UserEpisodes&, EpisodeMark&)> script_;
};

EpisodeQuery Boats() {
  EpisodeQuery query;
  query.terms = AnalyzeTerms("boat");
  return query;
}

void AddBoat(UserEpisodes& episodes, EpisodeMark& mark) {
  auto episode = std::make_shared<Episode>();
  episode->session_id = "s";
  episode->text = "a boat";
  mark.epoch = 0;
  episodes.Add({.episode_key = ++mark.episodes, .episode = episode, .length = 1, .terms = "boat"});
}

TEST(EpisodeCache, BringsWhatIsNewWithEachSearch) {
  EpisodeCache cache(kRoomy);
  ScriptedSource source([](UserEpisodes& episodes, EpisodeMark& mark) -> Status {
    EXPECT_EQ(mark.epoch, episodes.size() == 0 ? -1 : 0);
    AddBoat(episodes, mark);
    return {};
  });
  for (std::uint64_t round = 1; round <= 3; ++round) {
    const auto found = cache.Search(1, Boats(), std::nullopt, source, kNever);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->statistics.documents, round);
  }
}

TEST(EpisodeCache, ThrowsAwayWhatFailedHalfWay) {
  EpisodeCache cache(kRoomy);
  ScriptedSource failing([](UserEpisodes& episodes, EpisodeMark& mark) -> Status {
    AddBoat(episodes, mark);
    return Unavailable("store: away");
  });
  EXPECT_EQ(cache.Search(1, Boats(), std::nullopt, failing, kNever).error().code,
            ErrorCode::kUnavailable);
  ScriptedSource source([](UserEpisodes& episodes, EpisodeMark& mark) -> Status {
    EXPECT_EQ(mark.epoch, -1);
    EXPECT_EQ(mark.episodes, 0);
    EXPECT_EQ(episodes.size(), 0U);
    return {};
  });
  EXPECT_TRUE(cache.Search(1, Boats(), std::nullopt, source, kNever).ok());
}

TEST(EpisodeCache, TheLeastRecentlyAskedUserLeavesWhenTheBoundIsReached) {
  ScriptedSource once([](UserEpisodes& episodes, EpisodeMark& mark) -> Status {
    if (mark.epoch < 0) {
      AddBoat(episodes, mark);
    }
    return {};
  });
  EpisodeCache measured(kRoomy);
  ASSERT_TRUE(measured.Search(1, Boats(), std::nullopt, once, kNever).ok());
  EpisodeCache cache(measured.bytes() * 2);
  for (const std::int64_t user : {1, 2, 1, 3}) {
    ASSERT_TRUE(cache.Search(user, Boats(), std::nullopt, once, kNever).ok());
  }
  EXPECT_EQ(cache.bytes(), measured.bytes() * 2);
  const auto is_here = [&](std::int64_t user) {
    bool here = false;
    ScriptedSource looking([&](UserEpisodes& episodes, EpisodeMark& /*mark*/) -> Status {
      here = episodes.size() > 0;
      return {};
    });
    EXPECT_TRUE(cache.Search(user, Boats(), std::nullopt, looking, kNever).ok());
    return here;
  };
  EXPECT_TRUE(is_here(1));
  EXPECT_TRUE(is_here(3));
  EXPECT_FALSE(is_here(2));
  cache.Drop(1);
  EXPECT_FALSE(is_here(1));
}

TEST(EpisodeCache, ASearchThatWaitsForItsTurnKeepsItsDeadline) {
  EpisodeCache cache(kRoomy);
  ManualClock clock;
  const Deadline soon = Deadline::After(clock, std::chrono::seconds(1));
  ScriptedSource idle([](UserEpisodes&, EpisodeMark&) -> Status { return {}; });
  ScriptedSource slow([&](UserEpisodes&, EpisodeMark&) -> Status {
    // Another user's search does not wait for this one.
    EXPECT_TRUE(cache.Search(2, Boats(), std::nullopt, idle, kNever).ok());
    std::atomic<bool> waited = false;
    std::jthread second([&] {
      EXPECT_EQ(cache.Search(1, Boats(), std::nullopt, idle, soon).error().code,
                ErrorCode::kDeadlineExceeded);
      waited = true;
    });
    clock.Advance(std::chrono::seconds(2));
    second.join();
    EXPECT_TRUE(waited);
    return {};
  });
  EXPECT_TRUE(cache.Search(1, Boats(), std::nullopt, slow, kNever).ok());
  EXPECT_TRUE(cache.Search(1, Boats(), std::nullopt, idle, kNever).ok());
}

TEST(EpisodeCache, SearchesOfOneUserTakeTurns) {
  EpisodeCache cache(kRoomy);
  std::atomic<int> inside = 0;
  ScriptedSource counting([&](UserEpisodes& episodes, EpisodeMark& mark) -> Status {
    EXPECT_EQ(++inside, 1);
    AddBoat(episodes, mark);
    --inside;
    return {};
  });
  {
    std::vector<std::jthread> searches;
    for (int i = 0; i < 8; ++i) {
      searches.emplace_back([&] {
        for (int round = 0; round < 25; ++round) {
          EXPECT_TRUE(cache.Search(1, Boats(), std::nullopt, counting, kNever).ok());
        }
      });
    }
  }
  EXPECT_EQ(cache.Search(1, Boats(), std::nullopt, counting, kNever)->statistics.documents, 201U);
}

}  // namespace
}  // namespace umbranet
