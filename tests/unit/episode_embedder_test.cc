// Goal: episodes get vectors with the batch that brings them or behind it, and an embedder that is
// away holds nothing up.
// Method: the embedder is a double that counts what it is asked and fails when told to; the store
// is the in-memory twin. What runs in the background is called directly, or waited for by what it
// does.
#include "umbranet/reflection/episode_embedder.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/reflection/episodic_processor.h"

#include "tests/doubles/in_memory_episodic_memory.h"
#include "tests/doubles/manual_clock.h"

namespace umbranet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LineEmbedder final : public Embedder {
 public:
  const std::string& space() const override { return space_; }

  Result<std::vector<Embedding>> EmbedPassages(std::span<const std::string_view> texts,
                                               Deadline /*deadline*/) override {
    const MutexLock lock(mutex_);
    changed_.NotifyAll();
    if (failing_) {
      ++failures_;
      return Unavailable("embedder: away");
    }
    std::vector<Embedding> embeddings;
    for (const std::string_view text : texts) {
      texts_.emplace_back(text);
      embeddings.push_back({1, 0});
    }
    return embeddings;
  }

  Result<Embedding> EmbedQuestion(std::string_view /*question*/, Deadline /*deadline*/) override {
    return Embedding{1, 0};
  }

  void SetFailing(bool failing) {
    const MutexLock lock(mutex_);
    failing_ = failing;
  }

  void SetSpace(std::string space) { space_ = std::move(space); }

  std::vector<std::string> Texts() {
    const MutexLock lock(mutex_);
    return texts_;
  }

  void WaitForTexts(std::size_t count) {
    const MutexLock lock(mutex_);
    while (texts_.size() < count) {
      changed_.Wait(mutex_);
    }
  }

  std::size_t Failures() {
    const MutexLock lock(mutex_);
    return failures_;
  }

 private:
  std::string space_ = "line";
  Mutex mutex_;
  ConditionVariable changed_;
  bool failing_ GUARDED_BY(mutex_) = false;
  std::size_t failures_ GUARDED_BY(mutex_) = 0;
  std::vector<std::string> texts_ GUARDED_BY(mutex_);
};

class EpisodeEmbedderTest : public ::testing::Test {
 protected:
  ReflectionPlan Plan(const std::string& text) {
    ReflectionPlan plan;
    plan.user = {"default", "ana"};
    plan.interaction_id = "turn-" + std::to_string(++turns_);
    plan.job_id = "job-" + std::to_string(turns_);
    plan.session_id = "s" + std::to_string(turns_);
    plan.sequence = turns_;
    plan.episodes.push_back(
        {.role = Role::kUser, .speaker = "User", .text = text, .event_times = {}});
    return plan;
  }

  Status Process(const std::string& text) {
    EpisodicProcessor processor(clock_, metrics_, memory_, Millis{1000}, &episodes_);
    const std::vector<ReflectionPlan> plans{Plan(text)};
    return processor.Process(plans, Lease{}, Deadline::Never());
  }

  std::vector<std::string> Unembedded(const std::string& space = "line") {
    std::vector<std::string> texts;
    const auto page = memory_.Unembedded(space, "", 100, Deadline::Never());
    for (const UnembeddedEpisode& episode : page->episodes) {
      texts.push_back(episode.text);
    }
    return texts;
  }

  EpisodeEmbedder::Options Impatient() {
    EpisodeEmbedder::Options options;
    options.page_episodes = 2;
    options.pause_after_failure = Millis{1};
    return options;
  }

  ManualClock clock_;
  Metrics metrics_{{"test", "test"}};
  StructuredLog log_{clock_, {.level = LogLevel::kOff}};
  LineEmbedder embedder_;
  InMemoryEpisodicMemory memory_;
  EpisodeEmbedder episodes_{clock_, embedder_, memory_, metrics_, log_, Impatient()};
  int turns_ = 0;
};

TEST_F(EpisodeEmbedderTest, ABatchBringsItsVectors) {
  ASSERT_TRUE(Process("the boat").ok());
  EXPECT_THAT(embedder_.Texts(), ElementsAre("the boat"));
  EXPECT_THAT(Unembedded(), IsEmpty());
}

TEST_F(EpisodeEmbedderTest, ABatchIsAppliedWithoutVectorsWhileTheEmbedderIsAway) {
  embedder_.SetFailing(true);
  EXPECT_TRUE(Process("the boat").ok());
  EXPECT_THAT(Unembedded(), ElementsAre("the boat"));
  EXPECT_EQ(metrics_.embedding_failures_total.Value(), 1);
}

TEST_F(EpisodeEmbedderTest, AnEmbedderThatFailedIsNotWaitedForAgain) {
  embedder_.SetFailing(true);
  ASSERT_TRUE(Process("the boat").ok());
  ASSERT_TRUE(Process("the quay").ok());
  EXPECT_EQ(embedder_.Failures(), 1U);
}

TEST_F(EpisodeEmbedderTest, WhatHasNoVectorIsEmbeddedPageByPage) {
  const std::vector<ReflectionPlan> plans{Plan("one"), Plan("two"), Plan("three")};
  for (const ReflectionPlan& plan : plans) {
    ASSERT_TRUE(memory_.Apply(std::vector{plan}, Lease{}, Deadline::Never()).ok());
  }
  EXPECT_EQ(*episodes_.EmbedBacklog({}), 3U);
  EXPECT_THAT(Unembedded(), IsEmpty());
  EXPECT_EQ(*episodes_.EmbedBacklog({}), 0U);
}

TEST_F(EpisodeEmbedderTest, AnotherModelEmbedsEverythingAnew) {
  ASSERT_TRUE(Process("the boat").ok());
  embedder_.SetSpace("another line");
  EXPECT_EQ(*episodes_.EmbedBacklog({}), 1U);
  EXPECT_THAT(Unembedded("another line"), IsEmpty());
  EXPECT_THAT(Unembedded("line"), ElementsAre("the boat"));
}

TEST_F(EpisodeEmbedderTest, TheBacklogIsMadeGoodOnceTheEmbedderIsBack) {
  embedder_.SetFailing(true);
  ASSERT_TRUE(Process("the boat").ok());
  episodes_.Start();
  episodes_.Start();
  embedder_.SetFailing(false);
  embedder_.WaitForTexts(1);
  episodes_.Stop();
  episodes_.Stop();
  EXPECT_THAT(Unembedded(), IsEmpty());
  // And is asked again for the next batch.
  ASSERT_TRUE(Process("the quay").ok());
  EXPECT_THAT(Unembedded(), IsEmpty());
}

TEST_F(EpisodeEmbedderTest, WithoutAnEmbedderABatchIsAppliedAsBefore) {
  EpisodicProcessor processor(clock_, metrics_, memory_, Millis{1000}, nullptr);
  const std::vector<ReflectionPlan> plans{Plan("the boat")};
  ASSERT_TRUE(processor.Process(plans, Lease{}, Deadline::Never()).ok());
  EXPECT_THAT(Unembedded(), ElementsAre("the boat"));
}

}  // namespace
}  // namespace umbranet
