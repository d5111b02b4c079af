// Goal: tiers 2 and 4 on PostgreSQL keep their promises where several processes share a database,
// where a user outgrows memory, where the server is without pgvector, and where sessions are ended
// in flight.
// Method: over the real server, in a schema for each test; a further pool over it is a further
// process. What must be found is said by the same episodes searched in memory.
//
// Deliberate faults that it has caught, each made in postgres_episode_rows.cc, postgres_vectors.cc
// or postgres_tier_schema.cc and taken back:
//   - writers of one user do not take turns       ASearchThatRunsBesideWritersMissesNothingInTheEnd
//   - epochs are counted for each user from 1     ProcessesSeeEachOthersWritesAtOnce
//   - not everything that is added is indexed     AUserWhoOutgrowsMemoryIsFoundTheSame
//   - what an HNSW index finds is enough          ASmallUserAmongALargeOneLosesNoNeighbour
#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "umbranet/adapters/postgres/postgres_migrations.h"
#include "umbranet/base/text_analysis.h"
#include "umbranet/base/unique_id.h"

#include "tests/integration/postgres_world.h"

namespace umbranet {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

const Deadline kNever = Deadline::Never();
const UserKey kAna{"default", "ana"};
const UserKey kBen{"default", "ben"};
constexpr std::size_t kDimension = 8;

ReflectionPlan PlanOf(TierWorld& world, const UserKey& user, int number, const std::string& said,
                      const std::string& session) {
  Interaction turn;
  turn.interaction_id = user.user_id + "-" + std::to_string(number);
  turn.user = user;
  turn.session_id = session;
  turn.occurred_at = ManualClock::kStart + std::chrono::minutes(number);
  turn.user_message = said;
  turn = world.Accept(std::move(turn));
  ReflectionPlan plan;
  plan.job_id = MakeJobId(user, turn.interaction_id);
  plan.interaction_id = turn.interaction_id;
  plan.user = user;
  plan.session_id = session;
  plan.occurred_at = turn.occurred_at;
  plan.sequence = turn.sequence;
  plan.episodes.push_back(
      {.role = Role::kUser, .speaker = "User", .text = said, .event_times = {}});
  return plan;
}

EpisodesFound Find(EpisodicMemory& memory, const UserKey& user, const std::string& words,
                   std::optional<Embedding> embedding = std::nullopt, std::size_t most = 100) {
  EpisodeQuery query;
  query.user = user;
  query.terms = AnalyzeTerms(words);
  query.candidates_max = most;
  query.similar_max = most;
  query.embedding = std::move(embedding);
  query.embedding_space = "space";
  auto found = memory.Find(query, kNever);
  EXPECT_TRUE(found.ok()) << found.error().message;
  return std::move(found).value();
}

std::vector<std::string> Texts(const EpisodesFound& found) {
  std::vector<std::string> texts;
  for (const EpisodeCandidate& candidate : found.candidates) {
    texts.push_back(candidate.episode->text);
  }
  return texts;
}

std::vector<MemoryItem> Items(EpisodicMemory& memory, const UserKey& user) {
  return std::move(memory.List(user, "", 10'000, kNever).value().items);
}

// Everything of an answer, in an order.
std::vector<std::string> Describe(const EpisodesFound& found) {
  std::vector<std::string> lines;
  for (const EpisodeCandidate& candidate : found.candidates) {
    std::string line = candidate.episode->memory_id + " " + candidate.episode->text +
                       (candidate.matched ? " matched " : " beside ") +
                       std::to_string(candidate.length);
    for (const std::uint32_t count : candidate.term_counts) {
      line += " " + std::to_string(count);
    }
    line += candidate.similarity.has_value() ? " " + std::to_string(*candidate.similarity) : "";
    lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end());
  for (const CorpusStatistics* corpus : {&found.statistics, &found.assistant_statistics}) {
    std::string line =
        std::to_string(corpus->documents) + " " + std::to_string(corpus->length_mean);
    for (const std::uint64_t frequency : corpus->document_frequency) {
      line += " " + std::to_string(frequency);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

Embedding RandomUnit(std::mt19937& random) {
  std::normal_distribution<float> normal;
  Embedding vector(kDimension);
  float squares = 0;
  for (float& value : vector) {
    value = normal(random);
    squares += value * value;
  }
  for (float& value : vector) {
    value /= std::sqrt(squares);
  }
  return vector;
}

class PostgresTiersTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = MissingPostgres(); !missing.empty()) {
      GTEST_SKIP() << missing;
    }
    world_ = std::make_unique<PostgresWorld>();
    other_pool_ = world_->schema().OpenPool();
  }

  void Apply(MemoryTier& tier, const std::vector<ReflectionPlan>& plans) {
    const Lease lease = world_->Claim(plans);
    const Status applied = tier.Apply(plans, lease, kNever);
    ASSERT_TRUE(applied.ok()) << applied.error().message;
    world_->Release(lease);
  }

  // `count` turns of few different words in few sessions, in batches.
  void Talk(EpisodicMemory& memory, const UserKey& user, int count) {
    static constexpr std::array<const char*, 6> kWords = {"boat",   "hill",  "tea",
                                                          "garden", "piano", "snow"};
    std::mt19937 random(11);
    std::vector<ReflectionPlan> plans;
    for (int i = 0; i < count; ++i) {
      std::string said = "the";
      for (auto word = 1 + random() % 5; word > 0; --word) {
        said += std::string(" ") + kWords[random() % kWords.size()];
      }
      plans.push_back(PlanOf(*world_, user, i, said, "session" + std::to_string(random() % 5)));
      if (random() % 3 == 0) {
        plans.back().episodes.push_back({.role = Role::kAssistant,
                                         .speaker = "Assistant",
                                         .text = said + " indeed",
                                         .event_times = {}});
      }
      if (plans.size() == 25 || i + 1 == count) {
        Apply(memory, plans);
        plans.clear();
      }
    }
  }

  std::int64_t AskInt(std::string_view sql) {
    return world_->pool()
        .Read(kNever,
              [&](PostgresConnection& connection) -> Result<std::int64_t> {
                UMBRANET_ASSIGN_OR_RETURN(const PostgresRows rows, connection.Query(sql));
                return rows[0].Int(0);
              })
        .value();
  }

  std::unique_ptr<PostgresWorld> world_;
  std::unique_ptr<PostgresPool> other_pool_;
};

TEST_F(PostgresTiersTest, ProcessesSeeEachOthersWritesAtOnce) {
  EpisodicMemory& here = world_->episodic();
  PostgresEpisodicMemory there(*other_pool_);
  const Embedding east{1, 0};
  EXPECT_THAT(Find(here, kAna, "boat").candidates, IsEmpty());
  Apply(there, {PlanOf(*world_, kAna, 1, "a boat", "x")});
  EXPECT_THAT(Texts(Find(here, kAna, "boat")), ElementsAre("a boat"));
  Apply(here, {PlanOf(*world_, kAna, 2, "two boats", "y")});
  EXPECT_THAT(Texts(Find(there, kAna, "boat")), UnorderedElementsAre("a boat", "two boats"));
  EXPECT_THAT(Texts(Find(here, kAna, "boat")), UnorderedElementsAre("a boat", "two boats"));

  const std::string id = Items(here, kAna).at(0).memory_id;
  const std::vector<EpisodeVector> vectors{{id, east}};
  ASSERT_TRUE(there.SaveVectors("space", vectors, kNever).ok());
  EXPECT_THAT(Texts(Find(here, kAna, "", east)), ElementsAre("a boat"));
  ASSERT_TRUE(there.Update("default", id, {.text = "a plane", .valid_to = {}}, kNever).ok());
  EXPECT_THAT(Texts(Find(here, kAna, "plane")), ElementsAre("a plane"));
  EXPECT_THAT(Find(here, kAna, "", east).candidates, IsEmpty());
  ASSERT_TRUE(*there.Erase("default", id, kNever));
  EXPECT_THAT(Find(here, kAna, "plane").candidates, IsEmpty());
  world_->ForgetTurns(kAna);
  EXPECT_EQ(*there.EraseUser(kAna, kNever), 1U);
  EXPECT_EQ(Find(here, kAna, "boat").statistics.documents, 0U);
  // The book begins anew, at numbers that were there before.
  Apply(there, {PlanOf(*world_, kAna, 3, "a new boat", "x")});
  EXPECT_THAT(Texts(Find(here, kAna, "boat")), ElementsAre("a new boat"));
}

TEST_F(PostgresTiersTest, RulesOfOneProcessAreKnownToTheOther) {
  PostgresProceduralMemory there(*other_pool_, world_->clock());
  ReflectionPlan plan = PlanOf(*world_, kAna, 1, "use emoji", "x");
  plan.rules.push_back({.text = "use emoji", .scope = "", .key = "emoji"});
  Apply(world_->procedural(), {plan});
  const auto active = there.Active(kAna, std::nullopt, 10, kNever);
  ASSERT_TRUE(active.ok()) << active.error().message;
  ASSERT_THAT(*active, SizeIs(1));
  ASSERT_TRUE(*there.Erase("default", active->at(0).memory_id, kNever));
  EXPECT_THAT(*world_->procedural().Active(kAna, std::nullopt, 10, kNever), IsEmpty());
}

TEST_F(PostgresTiersTest, WhatPeopleWriteMayHoldAnyCharacter) {
  const std::string said("a boat\0 with a \xFF in it", 22);
  ReflectionPlan plan = PlanOf(*world_, kAna, 1, said, "x");
  plan.rules.push_back({.text = said, .scope = said, .key = said});
  Apply(world_->episodic(), {plan});
  Apply(world_->procedural(), {plan});
  EXPECT_THAT(Texts(Find(world_->episodic(), kAna, "boat")), ElementsAre(said));
  EXPECT_EQ(world_->procedural().Active(kAna, std::nullopt, 10, kNever)->at(0).text, said);
}

TEST_F(PostgresTiersTest, ASearchThatRunsBesideWritersMissesNothingInTheEnd) {
  PostgresEpisodicMemory there(*other_pool_);
  const auto third_pool = world_->schema().OpenPool();
  PostgresEpisodicMemory reader(*third_pool);
  constexpr int kTurns = 30;
  std::vector<ReflectionPlan> plans;
  for (int i = 0; i < 2 * kTurns; ++i) {
    plans.push_back(PlanOf(*world_, kAna, i, "a boat", "x"));
  }
  const Lease lease = world_->Claim(plans);
  std::atomic<int> writing = 2;
  {
    std::vector<std::jthread> writers;
    for (int writer = 0; writer < 2; ++writer) {
      writers.emplace_back([&, writer] {
        EpisodicMemory& memory = writer == 0 ? world_->episodic() : there;
        for (int i = writer; i < 2 * kTurns; i += 2) {
          const Status applied =
              memory.Apply(std::span(plans).subspan(static_cast<std::size_t>(i), 1), lease, kNever);
          EXPECT_TRUE(applied.ok()) << applied.error().message;
        }
        --writing;
      });
    }
    while (writing > 0) {
      Find(reader, kAna, "boat");
    }
  }
  EXPECT_EQ(Find(reader, kAna, "boat").statistics.documents, 2U * kTurns);
  EXPECT_THAT(Find(reader, kAna, "boat").candidates, SizeIs(2 * kTurns));
}

TEST_F(PostgresTiersTest, AUserWhoOutgrowsMemoryIsFoundTheSame) {
  PostgresEpisodicMemory outgrown(*other_pool_, {.cached_documents_max = 50});
  std::mt19937 random(5);
  const Embedding question = RandomUnit(random);
  // The same for two users: one in memory, the other in the database after a third of it.
  Talk(world_->episodic(), kAna, 160);
  Talk(outgrown, kBen, 160);
  EXPECT_EQ(AskInt("SELECT count(*) FROM episode_book WHERE in_database"), 1);
  const auto same = [&] {
    for (const std::size_t most : {10U, 60U, 400U}) {
      for (const char* words : {"boat", "tea snow", "the piano and the hill", "nothing"}) {
        for (const bool by_meaning : {false, true}) {
          const auto ask = [&](EpisodicMemory& memory, const UserKey& user) {
            const auto embedding = by_meaning ? std::optional(question) : std::nullopt;
            std::vector<std::string> lines = Describe(Find(memory, user, words, embedding, most));
            for (std::string& line : lines) {
              line = line.starts_with(kEpisodePrefix) ? line.substr(line.find(' ')) : line;
            }
            std::sort(lines.begin(), lines.end());
            return lines;
          };
          EXPECT_EQ(ask(world_->episodic(), kAna), ask(outgrown, kBen)) << words << " " << most;
        }
      }
    }
  };
  same();
  // Each pair of episodes has one vector.
  const std::vector<MemoryItem> hers = Items(world_->episodic(), kAna);
  const std::vector<MemoryItem> his = Items(outgrown, kBen);
  ASSERT_EQ(hers.size(), his.size());
  std::vector<EpisodeVector> vectors;
  for (std::size_t i = 0; i < hers.size(); i += 2) {
    const Embedding vector = RandomUnit(random);
    vectors.push_back({hers[i].memory_id, vector});
    vectors.push_back({his[i].memory_id, vector});
  }
  ASSERT_TRUE(outgrown.SaveVectors("space", vectors, kNever).ok());
  same();
  // One that changes in the database.
  ASSERT_TRUE(
      world_->episodic()
          .Update("default", hers[3].memory_id, {.text = "boat, boat", .valid_to = {}}, kNever)
          .ok());
  ASSERT_TRUE(
      outgrown.Update("default", his[3].memory_id, {.text = "boat, boat", .valid_to = {}}, kNever)
          .ok());
  ASSERT_TRUE(*world_->episodic().Erase("default", hers[5].memory_id, kNever));
  ASSERT_TRUE(*outgrown.Erase("default", his[5].memory_id, kNever));
  same();
}

TEST_F(PostgresTiersTest, ASmallUserAmongALargeOneLosesNoNeighbour) {
  if (AskInt("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'") == 0) {
    GTEST_SKIP() << "the server is without pgvector";
  }
  PostgresEpisodicMemory memory(*other_pool_,
                                {.cached_documents_max = 0, .compared_documents_max = 100});
  // All of the large user's vectors are nearer to the question than the small one's.
  const auto near = [](double degrees) {
    const double angle = degrees * std::acos(-1.0) / 180;
    return Embedding{static_cast<float>(std::cos(angle)), static_cast<float>(std::sin(angle))};
  };
  Talk(memory, kAna, 400);
  std::vector<EpisodeVector> vectors;
  for (const MemoryItem& item : Items(memory, kAna)) {
    vectors.push_back({item.memory_id, near(0.1 * static_cast<double>(vectors.size() % 200))});
  }
  ASSERT_TRUE(memory.SaveVectors("space", vectors, kNever).ok());
  Talk(memory, kBen, 9);
  vectors.clear();
  for (const MemoryItem& item : Items(memory, kBen)) {
    vectors.push_back({item.memory_id, near(60 + 2.0 * static_cast<double>(vectors.size()))});
  }
  ASSERT_TRUE(memory.SaveVectors("space", vectors, kNever).ok());
  EXPECT_EQ(AskInt("SELECT count(*) FROM pg_indexes WHERE schemaname = current_schema()"
                   " AND indexname LIKE 'episode\\_vector\\_near\\_%'"),
            1);
  EXPECT_THAT(Find(memory, kBen, "", near(0)).candidates, SizeIs(vectors.size()));
  // Also through the index, which finds the large user's first.
  PostgresEpisodicMemory by_index(*other_pool_,
                                  {.cached_documents_max = 0, .compared_documents_max = 0});
  EXPECT_THAT(Find(by_index, kBen, "", near(0)).candidates, SizeIs(vectors.size()));
  const EpisodesFound large = Find(memory, kAna, "", near(0), 30);
  std::size_t matched = 0;
  for (const EpisodeCandidate& candidate : large.candidates) {
    matched += candidate.matched ? 1U : 0U;
    EXPECT_TRUE(!candidate.matched || candidate.similarity.value_or(0) > std::cos(0.2));
  }
  EXPECT_EQ(matched, 30U);
}

TEST_F(PostgresTiersTest, WithoutPgvectorTheSameIsFoundAndASentenceSaysSo) {
  PostgresPool::Options options = world_->schema().Options();
  options.schema = "umbranet_test_" + RandomHex(8);
  const auto pool = PostgresPool::Open(options).value();
  std::vector<PostgresMigration> migrations = AllPostgresMigrations();
  std::erase_if(migrations, [](const PostgresMigration& step) { return !step.extension.empty(); });
  ASSERT_TRUE(Migrate(*pool, migrations, kNever).ok());
  PostgresEpisodicMemory memory(*pool, {.cached_documents_max = 0});
  EXPECT_THAT(memory.WhyVectorsAreComparedHere(kNever).value(),
              AllOf(HasSubstr("PostgreSQL at "), HasSubstr("vector"),
                    HasSubstr("compares vectors itself")));
  // Written without a ledger: what is looked at is the search.
  const auto add = [&](int number, const std::string& said) {
    ReflectionPlan plan;
    plan.interaction_id = "turn" + std::to_string(number);
    plan.user = kAna;
    plan.session_id = "session" + std::to_string(number);
    plan.episodes.push_back(
        {.role = Role::kUser, .speaker = "User", .text = said, .event_times = {}});
    const Status added = pool->Transact(
        kNever, PostgresIsolation::kReadCommitted, [&](PostgresConnection& connection) -> Status {
          UMBRANET_ASSIGN_OR_RETURN(
              const PostgresRows account,
              connection.Query("INSERT INTO account(tenant, user_id) VALUES('default', 'ana')"
                               " ON CONFLICT (tenant, user_id) DO UPDATE SET tenant = 'default'"
                               " RETURNING user_key"));
          const ReflectionPlan* const plans[] = {&plan};
          const PostgresMemory first{.memory_key = account[0].Int(0),
                                     .owner_key = account[0].Int(0)};
          UMBRANET_ASSIGN_OR_RETURN(const EpisodesAdded done,
                                    AddEpisodes(connection, first, plans));
          EXPECT_EQ(done.documents, static_cast<std::uint64_t>(number));
          UMBRANET_ASSIGN_OR_RETURN(const bool moved,
                                    IndexEpisodes(connection, account[0].Int(0), 100));
          EXPECT_TRUE(moved);
          return {};
        });
    ASSERT_TRUE(added.ok()) << added.error().message;
  };
  const auto embed = [&](const std::string& said, Embedding embedding) {
    for (const MemoryItem& item : Items(memory, kAna)) {
      if (item.text == said) {
        const std::vector<EpisodeVector> vectors{{item.memory_id, embedding}};
        ASSERT_TRUE(memory.SaveVectors("space", vectors, kNever).ok());
      }
    }
  };
  add(1, "a boat");
  add(2, "a hill");
  embed("a boat", {1, 0});
  embed("a hill", {-1, 0});
  const Embedding east{1, 0};
  EXPECT_THAT(Texts(Find(memory, kAna, "", east)), ElementsAre("a boat"));

  // The extension comes later, while the program runs.
  const auto migrated = Migrate(*pool, kNever);
  ASSERT_TRUE(migrated.ok()) << migrated.error().message;
  if (migrated->left_out == 0) {
    EXPECT_EQ(memory.WhyVectorsAreComparedHere(kNever).value(), "");
    EXPECT_THAT(Texts(Find(memory, kAna, "", east)), ElementsAre("a boat"));
    add(3, "a quay");
    embed("a quay", {0.8F, 0.6F});
    EXPECT_THAT(Texts(Find(memory, kAna, "", east)), UnorderedElementsAre("a boat", "a quay"));
  }
  ASSERT_TRUE(pool->Run(kNever,
                        [&](PostgresConnection& connection) {
                          return connection.RunScript("DROP SCHEMA " + options.schema + " CASCADE");
                        })
                  .ok());
}

TEST_F(PostgresTiersTest, SessionsThatAreEndedInFlightApplyEveryPlanOnce) {
  PostgresPool::Options options = world_->schema().Options();
  const std::string name = "umbranet_test_" + RandomHex(8);
  options.url += (options.url.find('?') == std::string::npos ? "?" : "&");
  options.url += "application_name=" + name;
  const auto pool = PostgresPool::Open(options).value();
  PostgresEpisodicMemory episodes(*pool, {.cached_documents_max = 10});
  PostgresProceduralMemory rules(*pool, world_->clock());
  std::vector<ReflectionPlan> plans;
  for (int i = 0; i < 40; ++i) {
    plans.push_back(PlanOf(*world_, kAna, i, "boat number" + std::to_string(i), "x"));
    plans.back().rules.push_back({.text = "rule", .scope = "", .key = "key" + std::to_string(i)});
  }
  const Lease lease = world_->Claim(plans);
  // Each try has its sessions ended once, at one moment or another.
  std::atomic<int> tries = 0;
  std::atomic<int> ended = 0;
  std::jthread killer([&](const std::stop_token& stop) {
    for (int seen = 0; !stop.stop_requested();) {
      if (tries == seen) {
        std::this_thread::yield();
        continue;
      }
      seen = tries;
      const auto killed = world_->pool().Run(kNever, [&](PostgresConnection& connection) {
        for (int pause = seen % 5; pause > 0; --pause) {
          EXPECT_TRUE(connection.Query("SELECT 1").ok());
        }
        return connection.Query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
            name);
      });
      ended += killed.ok() ? killed->size() : 0;
    }
  });
  const SystemClock clock;
  const Deadline deadline = Deadline::After(clock, std::chrono::seconds(60));
  for (std::size_t i = 0; i < plans.size(); ++i) {
    for (MemoryTier* tier :
         {static_cast<MemoryTier*>(&episodes), static_cast<MemoryTier*>(&rules)}) {
      Status applied = Unavailable("not tried");
      while (!applied.ok() && !deadline.Expired()) {
        ++tries;
        applied = tier->Apply(std::span(plans).subspan(i, 1), lease, deadline);
        EXPECT_TRUE(applied.ok() || applied.error().code == ErrorCode::kUnavailable)
            << applied.error().message;
      }
      ASSERT_TRUE(applied.ok()) << applied.error().message;
    }
  }
  killer.request_stop();
  killer.join();
  EXPECT_GT(ended, 0);
  EXPECT_THAT(Items(episodes, kAna), SizeIs(40));
  EXPECT_EQ(Find(world_->episodic(), kAna, "boat").statistics.documents, 40U);
  EXPECT_THAT(Find(world_->episodic(), kAna, "boat").candidates, SizeIs(40));
  EXPECT_THAT(*rules.Active(kAna, std::nullopt, 1000, kNever), SizeIs(40));
}

TEST_F(PostgresTiersTest, AServerThatIsAwayIsNamed) {
  PostgresPool::Options options = world_->schema().Options();
  options.url = "postgres://ana:hush@127.0.0.1:1/nowhere";
  const auto pool = PostgresPool::Open(options).value();
  PostgresEpisodicMemory episodes(*pool);
  EpisodeQuery query;
  query.user = kAna;
  const auto found = episodes.Find(query, kNever);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(found.error().message, HasSubstr("127.0.0.1:1"));
  EXPECT_THAT(found.error().message, ::testing::Not(HasSubstr("hush")));
}

}  // namespace
}  // namespace umbranet
