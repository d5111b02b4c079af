// Goal: every episodic memory keeps the promises of ports/episodic_memory.h about vectors.
// Method: one suite, run against each implementation, with small vectors made by hand, so that a
// test can say which episodes are near a question. What is searched in memory and what is searched
// in the file are two implementations here.
//
// Deliberate faults that it has caught, each made in sqlite_vectors.cc, user_episodes.cc,
// episode_cache.cc or sqlite_episodic_memory.cc and taken back:
//   - vectors of another space are compared                     ANewVectorReplacesTheOldOne
//   - a vector of another size is compared                      AnotherSizeIsNeverCompared
//   - a new vector does not replace the old one in memory       ANewVectorReplacesTheOldOne
//   - an edited episode keeps its vector                        AnEditedEpisodeLosesItsVector
//   - a search in memory does not look at as_of                 AsOfLeavesOutWhatHappenedLater
//   - the assistant's share is not kept                         AThirdAtMostAreAssistantHalves
//   - a vector that comes after a search is passed over         VectorsMayComeAfterASearch
//   - an episode that comes after a search is passed over       VectorsMayComeAfterASearch
//   - what is in memory stays after an erasure or an edit       AnErasedEpisodeIsNotSimilar
//   - a page of what has no vector ends without a cursor        WhatHasNoVectorIsListedInPages
//   - similar episodes bring no neighbours                      SimilarOnesBringTheirNeighbours
//   - another user's vectors are read from the file             NobodyFindsWhatAnotherUserSaid
//   - a search goes on in memory that was let go of meanwhile   MemoriesMayComeAndGo...
#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/base/text_analysis.h"

#include "tests/contract/tier_world.h"

namespace umbranet {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const Deadline kNever = Deadline::Never();

class EpisodeVectorsContract : public TierContract {
 protected:
  EpisodicMemory& memory() { return world_->episodic(); }

  // A turn of its own session, so that no neighbours come along.
  void Say(const UserKey& user, int minute, const std::string& said,
           const std::string& answered = "", std::string session = "") {
    session = session.empty() ? "session" + std::to_string(minute) : session;
    ReflectionPlan plan = NewPlan(user, minute, "", session);
    plan.episodes.push_back(
        {.role = Role::kUser, .speaker = "User", .text = said, .event_times = {}});
    if (!answered.empty()) {
      plan.episodes.push_back(
          {.role = Role::kAssistant, .speaker = "Assistant", .text = answered, .event_times = {}});
    }
    Apply(memory(), {plan});
  }

  // In the plane: 0 degrees is what questions below are about.
  static Embedding At(double degrees) {
    const double angle = degrees * std::acos(-1.0) / 180;
    return {static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
  }

  std::string IdOf(const UserKey& user, const std::string& text) {
    for (const MemoryItem& item : ListAll(memory(), user)) {
      if (item.text == text) {
        return item.memory_id;
      }
    }
    ADD_FAILURE() << "no episode says " << text;
    return "";
  }

  void Embed(const UserKey& user, const std::string& text, Embedding embedding,
             const std::string& space = "plane") {
    const std::vector<EpisodeVector> vectors{{IdOf(user, text), std::move(embedding)}};
    ASSERT_TRUE(memory().SaveVectors(space, vectors, kNever).ok());
  }

  EpisodesFound Find(const UserKey& user, std::size_t similar_max = 100,
                     std::optional<Timestamp> as_of = std::nullopt,
                     const std::string& space = "plane", const std::string& words = "") {
    EpisodeQuery query;
    query.user = user;
    query.terms = AnalyzeTerms(words);
    query.similar_max = similar_max;
    query.embedding = At(0);
    query.embedding_space = space;
    query.as_of = as_of;
    auto found = memory().Find(query, kNever);
    EXPECT_TRUE(found.ok()) << found.error().message;
    return std::move(found).value();
  }

  // With an embedding that is made while the store is asked, and what happens meanwhile.
  EpisodesFound FindLater(
      const UserKey& user, const std::string& words, std::optional<Embedding> embedding,
      const std::function<void()>& meanwhile = [] {}) {
    int made = 0;
    EpisodeQuery query;
    query.user = user;
    query.terms = AnalyzeTerms(words);
    query.embedding_to_come = [&] {
      ++made;
      meanwhile();
      return embedding;
    };
    query.embedding_space = "plane";
    auto found = memory().Find(query, Deadline::Never());
    EXPECT_TRUE(found.ok()) << found.error().message;
    EXPECT_LE(made, 1);
    return std::move(found).value();
  }

  static std::vector<std::string> Texts(const EpisodesFound& found, bool matched = true) {
    std::vector<std::string> texts;
    for (const EpisodeCandidate& candidate : found.candidates) {
      if (candidate.matched == matched) {
        texts.push_back(candidate.episode->text);
      }
    }
    return texts;
  }

  static std::optional<float> SimilarityOf(const EpisodesFound& found, const std::string& text) {
    for (const EpisodeCandidate& candidate : found.candidates) {
      if (candidate.episode->text == text) {
        return candidate.similarity;
      }
    }
    ADD_FAILURE() << text << " was not found";
    return std::nullopt;
  }

  // Without a cursor's help: all pages.
  std::vector<std::string> Unembedded(const std::string& space, std::size_t limit) {
    std::vector<std::string> texts;
    std::string cursor;
    do {
      const auto page = memory().Unembedded(space, cursor, limit, kNever);
      EXPECT_TRUE(page.ok());
      EXPECT_LE(page->episodes.size(), limit);
      for (const UnembeddedEpisode& episode : page->episodes) {
        texts.push_back(episode.text);
      }
      cursor = page->next_cursor;
    } while (!cursor.empty());
    return texts;
  }
};

TEST_P(EpisodeVectorsContract, FindsWhatIsSimilarWithoutASharedWord) {
  Say(ana_, 0, "the boat");
  Say(ana_, 1, "the hill");
  Embed(ana_, "the boat", At(30));
  Embed(ana_, "the hill", At(120));
  const EpisodesFound found = Find(ana_);
  EXPECT_THAT(Texts(found), ElementsAre("the boat"));
  EXPECT_NEAR(SimilarityOf(found, "the boat").value_or(0), std::cos(std::acos(-1.0) / 6), 0.01);
}

TEST_P(EpisodeVectorsContract, WhatMatchesByWordsSaysHowSimilarItIs) {
  Say(ana_, 0, "the boat");
  Say(ana_, 1, "a boat");
  Embed(ana_, "the boat", At(120));
  const EpisodesFound found = Find(ana_, 100, std::nullopt, "plane", "boat");
  EXPECT_THAT(Texts(found), UnorderedElementsAre("the boat", "a boat"));
  EXPECT_NEAR(SimilarityOf(found, "the boat").value_or(0), -0.5, 0.01);
  EXPECT_EQ(SimilarityOf(found, "a boat"), std::nullopt);
}

TEST_P(EpisodeVectorsContract, WithoutAnEmbeddingNothingIsCompared) {
  Say(ana_, 0, "the boat");
  Embed(ana_, "the boat", At(0));
  EpisodeQuery query;
  query.user = ana_;
  EXPECT_THAT(memory().Find(query, kNever)->candidates, IsEmpty());
  query.terms = AnalyzeTerms("boat");
  EXPECT_EQ(memory().Find(query, kNever)->candidates.at(0).similarity, std::nullopt);
}

TEST_P(EpisodeVectorsContract, KeepsToTheNearest) {
  for (int i = 0; i < 6; ++i) {
    Say(ana_, i, "word" + std::to_string(i));
    Embed(ana_, "word" + std::to_string(i), At(10.0 * (5 - i)));
  }
  EXPECT_THAT(Texts(Find(ana_, 3)), UnorderedElementsAre("word5", "word4", "word3"));
}

TEST_P(EpisodeVectorsContract, AThirdAtMostAreAssistantHalves) {
  for (int i = 0; i < 6; ++i) {
    Say(ana_, i, "word" + std::to_string(i), "reply" + std::to_string(i));
    Embed(ana_, "word" + std::to_string(i), At(40 + i));
    Embed(ana_, "reply" + std::to_string(i), At(i));
  }
  const EpisodesFound found = Find(ana_, 3);
  EXPECT_THAT(Texts(found), UnorderedElementsAre("reply0", "word0", "word1"));
}

TEST_P(EpisodeVectorsContract, SimilarOnesBringTheirNeighbours) {
  for (int i = 0; i < 5; ++i) {
    Say(ana_, i, "word" + std::to_string(i), "", "s");
  }
  Embed(ana_, "word1", At(0));
  const EpisodesFound found = Find(ana_);
  EXPECT_THAT(Texts(found), ElementsAre("word1"));
  EXPECT_THAT(Texts(found, false), UnorderedElementsAre("word0", "word2", "word3"));
}

TEST_P(EpisodeVectorsContract, AnotherSpaceIsNeverCompared) {
  Say(ana_, 0, "the boat");
  Embed(ana_, "the boat", At(0), "another model");
  EXPECT_THAT(Find(ana_).candidates, IsEmpty());
  EXPECT_THAT(Find(ana_, 100, std::nullopt, "unheard of").candidates, IsEmpty());
  EXPECT_THAT(Texts(Find(ana_, 100, std::nullopt, "another model")), ElementsAre("the boat"));
}

TEST_P(EpisodeVectorsContract, AnotherSizeIsNeverCompared) {
  Say(ana_, 0, "the boat");
  Embed(ana_, "the boat", {1, 0, 0});
  EXPECT_THAT(Find(ana_).candidates, IsEmpty());
}

TEST_P(EpisodeVectorsContract, ANewVectorReplacesTheOldOne) {
  Say(ana_, 0, "the boat");
  Embed(ana_, "the boat", At(0), "former model");
  EXPECT_THAT(Find(ana_).candidates, IsEmpty());
  Embed(ana_, "the boat", At(60));
  EXPECT_NEAR(SimilarityOf(Find(ana_), "the boat").value_or(0), 0.5, 0.01);
  EXPECT_THAT(Find(ana_, 100, std::nullopt, "former model").candidates, IsEmpty());
}

TEST_P(EpisodeVectorsContract, NobodyFindsWhatAnotherUserSaid) {
  Say(ana_, 0, "her boat");
  Say(ben_, 1, "his boat");
  Embed(ana_, "her boat", At(0));
  Embed(ben_, "his boat", At(0));
  EXPECT_THAT(Texts(Find(ana_)), ElementsAre("her boat"));
}

TEST_P(EpisodeVectorsContract, AsOfLeavesOutWhatHappenedLater) {
  Say(ana_, 10, "the first");
  Say(ana_, 20, "the second");
  Embed(ana_, "the first", At(40));
  Embed(ana_, "the second", At(0));
  EXPECT_THAT(Texts(Find(ana_, 1, TierContract::At(10))), ElementsAre("the first"));
}

TEST_P(EpisodeVectorsContract, VectorsMayComeAfterASearch) {
  Say(ana_, 0, "the boat");
  EXPECT_THAT(Find(ana_).candidates, IsEmpty());
  Embed(ana_, "the boat", At(0));
  EXPECT_THAT(Texts(Find(ana_)), ElementsAre("the boat"));
  Say(ana_, 1, "the quay");
  EXPECT_THAT(Texts(Find(ana_)), ElementsAre("the boat"));
  Embed(ana_, "the quay", At(10));
  EXPECT_THAT(Texts(Find(ana_)), UnorderedElementsAre("the boat", "the quay"));
}

TEST_P(EpisodeVectorsContract, AnEditedEpisodeLosesItsVector) {
  Say(ana_, 0, "the boat");
  Embed(ana_, "the boat", At(0));
  ASSERT_THAT(Texts(Find(ana_)), SizeIs(1));
  MemoryPatch patch;
  patch.text = "the plane";
  ASSERT_TRUE(memory().Update("default", IdOf(ana_, "the boat"), patch, kNever).ok());
  EXPECT_THAT(Find(ana_).candidates, IsEmpty());
  EXPECT_THAT(Unembedded("plane", 10), ElementsAre("the plane"));
}

TEST_P(EpisodeVectorsContract, AnErasedEpisodeIsNotSimilar) {
  Say(ana_, 0, "the boat");
  Say(ana_, 1, "the quay");
  Embed(ana_, "the boat", At(0));
  Embed(ana_, "the quay", At(0));
  const std::string gone = IdOf(ana_, "the boat");
  ASSERT_THAT(Texts(Find(ana_)), SizeIs(2));
  ASSERT_TRUE(*memory().Erase("default", gone, kNever));
  EXPECT_THAT(Texts(Find(ana_)), ElementsAre("the quay"));
  const std::vector<EpisodeVector> late{{gone, At(0)}};
  EXPECT_TRUE(memory().SaveVectors("plane", late, kNever).ok());
  EXPECT_THAT(Texts(Find(ana_)), ElementsAre("the quay"));
}

TEST_P(EpisodeVectorsContract, AForgottenUserLeavesNoVector) {
  Say(ana_, 0, "the boat");
  Embed(ana_, "the boat", At(0));
  ASSERT_THAT(Texts(Find(ana_)), SizeIs(1));
  world_->ForgetTurns(ana_);
  EXPECT_GT(*memory().CountVectors(ana_, kNever), 0U);
  ASSERT_TRUE(memory().EraseUser(ana_, kNever).ok());
  EXPECT_EQ(*memory().CountVectors(ana_, kNever), 0U);
  EXPECT_THAT(Find(ana_).candidates, IsEmpty());
  Say(ana_, 5, "a new boat");
  EXPECT_THAT(Find(ana_).candidates, IsEmpty());
  EXPECT_THAT(Unembedded("plane", 10), ElementsAre("a new boat"));
}

TEST_P(EpisodeVectorsContract, WhatHasNoVectorIsListedInPages) {
  for (int i = 0; i < 5; ++i) {
    Say(i < 3 ? ana_ : ben_, i, "word" + std::to_string(i));
  }
  for (const std::size_t limit : {1U, 2U, 5U, 100U}) {
    EXPECT_THAT(Unembedded("plane", limit),
                UnorderedElementsAre("word0", "word1", "word2", "word3", "word4"))
        << limit;
  }
  Embed(ana_, "word1", At(0));
  EXPECT_THAT(Unembedded("plane", 2), Not(Contains("word1")));
  EXPECT_THAT(Unembedded("plane", 2), SizeIs(4));
  EXPECT_THAT(Unembedded("another model", 2), SizeIs(5));
}

TEST_P(EpisodeVectorsContract, ABadCursorIsTheCallersMistake) {
  for (const std::string cursor : {"x", "1x", "-", "99999999999999999999"}) {
    const auto page = memory().Unembedded("plane", cursor, 10, kNever);
    if (!page.ok()) {
      EXPECT_EQ(page.error().code, ErrorCode::kInvalidArgument) << cursor;
    } else {
      EXPECT_THAT(page->episodes, IsEmpty()) << cursor;
    }
  }
}

TEST_P(EpisodeVectorsContract, APersonsNameIsEmbeddedWithWhatSheSays) {
  ReflectionPlan plan = NewPlan(ana_, 0);
  plan.episodes.push_back(
      {.role = Role::kUser, .speaker = "Mira", .text = "I baked bread", .event_times = {}});
  Apply(memory(), {plan});
  EXPECT_THAT(Unembedded("plane", 10), ElementsAre("Mira: I baked bread"));
}

INSTANTIATE_TEST_SUITE_P(Implementations, EpisodeVectorsContract,
                         testing::ValuesIn(EpisodicWorlds()), TierWorldName);

TEST_P(EpisodeVectorsContract, AnEmbeddingThatComesLateFindsWhatOneAtHandFinds) {
  Say(ana_, 1, "the kettle whistles", "so it does");
  Say(ana_, 2, "a barge on the canal");
  Say(ana_, 3, "the mason rests");
  Embed(ana_, "the kettle whistles", At(80));
  Embed(ana_, "a barge on the canal", At(10));
  const EpisodesFound at_hand = Find(ana_, 100, std::nullopt, "plane", "kettle");
  const EpisodesFound later = FindLater(ana_, "kettle", At(0));
  EXPECT_THAT(Texts(later), testing::UnorderedElementsAreArray(Texts(at_hand)));
  EXPECT_THAT(Texts(later, false), testing::UnorderedElementsAreArray(Texts(at_hand, false)));
  for (const EpisodeCandidate& candidate : later.candidates) {
    const std::string& text = candidate.episode->text;
    EXPECT_EQ(candidate.similarity, SimilarityOf(at_hand, text)) << text;
    EXPECT_EQ(candidate.term_counts[0], text == "the kettle whistles" ? 1U : 0U) << text;
  }
  EXPECT_EQ(later.statistics.documents, at_hand.statistics.documents);
  EXPECT_EQ(later.statistics.document_frequency, at_hand.statistics.document_frequency);
}

TEST_P(EpisodeVectorsContract, WithoutTheEmbeddingThatWasToComeASearchGoesByWords) {
  Say(ana_, 1, "the kettle whistles");
  Say(ana_, 2, "a barge on the canal");
  Embed(ana_, "a barge on the canal", At(0));
  const EpisodesFound found = FindLater(ana_, "kettle", std::nullopt);
  EXPECT_THAT(Texts(found), ElementsAre("the kettle whistles"));
  EXPECT_EQ(found.candidates[0].similarity, std::nullopt);
}

TEST_P(EpisodeVectorsContract, MemoriesMayComeAndGoWhileAnEmbeddingIsMade) {
  Say(ana_, 1, "the kettle whistles");
  Say(ana_, 2, "a barge on the canal");
  Embed(ana_, "a barge on the canal", At(0));
  const EpisodesFound grown = FindLater(ana_, "kettle", At(0), [&] {
    for (int minute = 10; minute < 40; ++minute) {
      Say(ana_, minute, "kettle number " + std::to_string(minute));
    }
    EXPECT_THAT(Texts(Find(ana_, 100, std::nullopt, "plane", "kettle")), SizeIs(32));
  });
  EXPECT_THAT(Texts(grown), testing::IsSupersetOf({"the kettle whistles", "a barge on the canal"}));

  const EpisodesFound erased = FindLater(ana_, "kettle", At(0), [&] {
    ASSERT_TRUE(memory().Erase(ana_.tenant, IdOf(ana_, "the kettle whistles"), kNever).ok());
    EXPECT_THAT(Texts(Find(ana_, 100, std::nullopt, "plane", "kettle")), SizeIs(31));
  });
  EXPECT_THAT(Texts(erased), Not(Contains("the kettle whistles")));
  EXPECT_THAT(Texts(erased), Contains("a barge on the canal"));

  const EpisodesFound forgotten = FindLater(ana_, "kettle", At(0), [&] {
    ASSERT_TRUE(memory().EraseUser(ana_, kNever).ok());
    EXPECT_THAT(Texts(Find(ana_, 100, std::nullopt, "plane", "kettle")), IsEmpty());
  });
  EXPECT_THAT(Texts(forgotten), IsEmpty());
}

TEST_P(EpisodeVectorsContract, OthersFindTheUsersEpisodesWhileAnEmbeddingIsMade) {
  Say(ana_, 1, "the kettle whistles");
  const EpisodesFound found = FindLater(ana_, "kettle", At(0), [&] {
    EpisodeQuery query;
    query.user = ana_;
    query.terms = AnalyzeTerms("kettle");
    const SystemClock clock;
    const auto meanwhile = memory().Find(query, Deadline::After(clock, std::chrono::seconds(20)));
    ASSERT_TRUE(meanwhile.ok()) << meanwhile.error().message;
    EXPECT_THAT(Texts(*meanwhile), ElementsAre("the kettle whistles"));
  });
  EXPECT_THAT(Texts(found), ElementsAre("the kettle whistles"));
}

}  // namespace
}  // namespace umbranet
