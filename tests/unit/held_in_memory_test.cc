// Goal: what adapters hold in this process's memory of a user goes when they are told to let go of
// him, and nothing of anybody else. Method: the parts that hold it, without their servers.
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "umbranet/adapters/neo4j/knowledge_cache.h"
#include "umbranet/adapters/rabbitmq/rabbitmq_doorbell.h"
#include "umbranet/search/episode_cache.h"

namespace umbranet {
namespace {

const Deadline kNever = Deadline::Never();
const UserKey kAna{"default", "ana"};
const UserKey kBo{"default", "bo"};

KnowledgeSnapshot Snapshot(const UserKey& user) {
  return {"epoch", 1, std::make_shared<const UserKnowledge>(user)};
}

TEST(KnowledgeCache, LetsGoOfOneOrOfAll) {
  KnowledgeCache cache(100);
  cache.Keep(Snapshot(kAna));
  cache.Keep(Snapshot(kBo));
  cache.Drop(kAna);
  EXPECT_FALSE(cache.Find(kAna).has_value());
  EXPECT_TRUE(cache.Find(kBo).has_value());
  cache.Keep(Snapshot(kAna));
  cache.DropAll();
  EXPECT_FALSE(cache.Find(kAna).has_value());
  EXPECT_FALSE(cache.Find(kBo).has_value());
  cache.Keep(Snapshot(kAna));
  EXPECT_TRUE(cache.Find(kAna).has_value());
}

class OneEpisode final : public EpisodeSource {
 public:
  Status CatchUp(UserEpisodes& episodes, EpisodeMark& mark) override {
    auto episode = std::make_shared<Episode>();
    episode->session_id = "s";
    episode->text = "a boat";
    mark.epoch = 0;
    episodes.Add(
        {.episode_key = ++mark.episodes, .episode = episode, .length = 1, .terms = "boat"});
    return {};
  }
};

TEST(HeldEpisodes, GoWithTheirUserOrAllTogether) {
  EpisodeCache cache(std::size_t{1} << 20U);
  OneEpisode source;
  EpisodeQuery query;
  query.terms = {"boat"};
  ASSERT_TRUE(cache.Search(1, query, std::nullopt, source, kNever).ok());
  const std::size_t of_one = cache.bytes();
  ASSERT_TRUE(cache.Search(2, query, std::nullopt, source, kNever).ok());
  cache.Drop(1);
  EXPECT_EQ(cache.bytes(), of_one);
  ASSERT_TRUE(cache.Search(1, query, std::nullopt, source, kNever).ok());
  cache.DropAll();
  EXPECT_EQ(cache.bytes(), 0U);
  ASSERT_TRUE(cache.Search(1, query, std::nullopt, source, kNever).ok());
  EXPECT_EQ(cache.bytes(), of_one);
}

ReflectionJob JobOf(const UserKey& user) {
  ReflectionJob job;
  job.job_id = "job of " + user.user_id;
  job.user = user;
  return job;
}

TEST(MessagesThatWaitForTheBroker, GoWithTheirUserOrAllTogether) {
  const SystemClock clock;
  StructuredLog log(clock, {.level = LogLevel::kOff});
  RabbitMqDoorbell::Options options;
  options.url = "amqp://guest:guest@127.0.0.1:1/";  // Where nobody listens.
  options.consume = false;
  const auto doorbell = RabbitMqDoorbell::Open(
      clock, log, options, [](const IncomingJob&, Deadline) { return Status(); });
  ASSERT_TRUE(doorbell.ok()) << doorbell.error().message;
  Interaction turn;
  turn.user_message = "I planted tomatoes.";
  for (const UserKey& user : {kAna, kBo, kAna}) {
    turn.user = user;
    (*doorbell)->RingWithTurn(JobOf(user), turn);
  }
  EXPECT_EQ((*doorbell)->ReadStatus().waiting, 3U);
  (*doorbell)->LetGo(kAna);
  EXPECT_EQ((*doorbell)->ReadStatus().waiting, 1U);
  (*doorbell)->Ring(JobOf(kBo));
  (*doorbell)->LetGoOfAll();
  EXPECT_EQ((*doorbell)->ReadStatus().waiting, 1U) << "a ring alone says nothing of anybody";
}

}  // namespace
}  // namespace umbranet
